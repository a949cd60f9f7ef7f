//! Every option of librdkafka that matters here, set explicitly: its defaults lose, reorder or wait.

use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, ConsumerContext},
    error::{KafkaError, KafkaResult},
    producer::BaseProducer,
    topic_partition_list::TopicPartitionList,
};
use shared_events::catalog::{SchemaFile, schemas};
use std::time::Duration;

use super::relay::Deliveries;

/// How a broker is asked and how long it may take to answer anything that somebody waits for.
pub(super) const ASK_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of a whole record, at most: the largest datum the door lets through, a key, and all headers. The largest
/// record must fit into the topic, or it would be committed and never published.
pub const MAX_RECORD: usize = 256 * 1024 + 16 * 1024;
/// A registry may have lost an id for a moment, while it is restored; after this long the id is poison.
const UNKNOWN_ID_AFTER: Duration = Duration::from_secs(300);

/// Where the bus is, and what travels on it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Brokers to ask first, as `host:port,host:port` (`KAFKA_BOOTSTRAP_SERVERS`).
    pub brokers: String,
    /// The schema registry (`SCHEMA_REGISTRY_URL`).
    pub registry: String,
    /// Stands before each topic's name, so that several shops can share a cluster. Usually empty.
    pub prefix: String,
    /// Every schema that this build writes or reads.
    pub contract: &'static [SchemaFile],
    /// How long an id that the registry does not know is waited for while it knows others.
    pub unknown_id_after: Duration,
    /// Where requests to the registry run.
    pub runtime: tokio::runtime::Handle,
}

impl Settings {
    /// The bus at these addresses, carrying the shop's events.
    #[must_use]
    pub fn new(brokers: &str, registry: &str, runtime: tokio::runtime::Handle) -> Settings {
        Settings {
            brokers: brokers.to_owned(),
            registry: registry.to_owned(),
            prefix: String::new(),
            contract: schemas(),
            unknown_id_after: UNKNOWN_ID_AFTER,
            runtime,
        }
    }

    /// The topic that a service speaks on.
    #[must_use]
    pub fn topic(&self, service: &str) -> String {
        format!("{}{service}.events", self.prefix)
    }

    /// What every client needs. Encryption and authentication belong here too, once the cluster asks for them.
    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "tutti")
            // Topics are created by a job, with the right number of partitions; a typing error must not make one.
            .set("allow.auto.create.topics", "false")
            // A broker that is gone is noticed after this, not after a minute.
            .set("socket.timeout.ms", "10000")
            .set("socket.connection.setup.timeout.ms", "5000")
            .set("socket.keepalive.enable", "true")
            // Small requests go at once.
            .set("socket.nagle.disable", "true")
            // A broker that came back is found within a second or two, also after a long outage.
            .set("reconnect.backoff.ms", "100")
            .set("reconnect.backoff.max.ms", "2000")
            // A broker that hangs up because nothing was said for long is nothing to report.
            .set("log.connection.close", "false")
            // Nobody here reads what the cluster would collect.
            .set("enable.metrics.push", "false")
            .set_log_level(RDKafkaLogLevel::Info);
        config
    }

    /// The relay's producer: everything in order, nothing given up.
    pub(super) fn producer(&self, deliveries: Deliveries) -> KafkaResult<BaseProducer<Deliveries>> {
        let mut config = self.client();
        config
            // Without it a retry that comes late is written behind its successors.
            .set("enable.idempotence", "true")
            // A refused record must not be overtaken by the ones behind it: it fails them all, and the relay starts again.
            .set("enable.gapless.guarantee", "true")
            // A record is never too old to be sent: with the default of five minutes, 1 2 3 4 5 becomes 1 4 5.
            .set("message.timeout.ms", "0")
            .set("acks", "all")
            .set("retries", "2147483647")
            .set("retry.backoff.ms", "100")
            .set("retry.backoff.max.ms", "1000")
            .set("request.timeout.ms", "10000")
            // Nothing lingers. With one request under way at a time, what comes meanwhile is the next one: large
            // batches under load, no waiting at rest; the same as the door does.
            .set("linger.ms", "0")
            .set("max.in.flight.requests.per.connection", "1")
            // What the queue cannot hold is read from the log later.
            .set("queue.buffering.max.messages", "20000")
            .set("queue.buffering.max.kbytes", "32768")
            .set("batch.num.messages", "10000")
            // A topic's max.message.bytes limits a whole batch, so none may be larger than the largest record.
            .set("batch.size", "262144")
            .set("message.max.bytes", "1000000")
            // Headers repeat themselves; lz4 costs next to nothing.
            .set("compression.type", "lz4")
            .set("delivery.report.only.error", "false")
            // The partition is always given, because a lane is one. If ever a record had none, it would go where Java
            // clients put it, not where CRC32 does.
            .set("partitioner", "murmur2_random");
        config.create_with_context(deliveries)
    }

    /// A reader that is told partitions and offsets, and keeps no place of its own.
    pub(super) fn consumer(&self, service: &str) -> KafkaResult<BaseConsumer<Quiet>> {
        let mut config = self.client();
        config
            // Nobody subscribes with it: it only carries offsets for those who watch the lag.
            .set("group.id", format!("{}tutti.{service}", self.prefix))
            // Offsets are hints. Where one leads nowhere it must be said, not be replaced by the end of the topic.
            .set("auto.offset.reset", "error")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // The end is asked for; an event that was queued before an outage would prove nothing.
            .set("enable.partition.eof", "false")
            .set("isolation.level", "read_committed")
            .set("check.crcs", "true")
            // Answered at once when there is anything, else twice a second.
            .set("fetch.min.bytes", "1")
            .set("fetch.wait.max.ms", "500")
            .set("fetch.error.backoff.ms", "250")
            // How much of a lane is fetched ahead, and how soon fetching goes on after that bound was reached.
            .set("queued.min.messages", "5000")
            .set("queued.max.messages.kbytes", "4096")
            .set("fetch.queue.backoff.ms", "20")
            .set("fetch.message.max.bytes", "1048576")
            .set("fetch.max.bytes", "8388608")
            .set("receive.message.max.bytes", "16777216")
            // Only members of a group are held to it, and this is none.
            .set("max.poll.interval.ms", "86400000");
        config.create_with_context(Quiet)
    }
}

/// What librdkafka says of itself goes to the debug log: whatever of it matters is reported where it is handled, once.
pub(super) struct Quiet;

pub(super) fn log(level: RDKafkaLogLevel, facility: &str, line: &str) {
    tracing::debug!(target: "librdkafka", ?level, facility, line);
}

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        log(level, facility, line);
    }
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason);
    }
}

impl ConsumerContext for Quiet {
    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        if let Err(error) = result {
            // Tried again with the next ones; only lag tools read them.
            tracing::debug!(%error, "offsets were not committed");
        }
    }
}
