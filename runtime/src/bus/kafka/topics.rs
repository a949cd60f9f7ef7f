//! Topics as they must be: created by a job, and held against what this build needs before anything is sent.

use super::{MAX_RECORD, Settings, config::ASK_WITHIN};
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
    error::{KafkaError, RDKafkaErrorCode},
};
use std::time::Duration;

/// Lanes of each service, and so partitions of each topic.
pub const PARTITIONS: i32 = 1;
/// What a topic is created to take: more than [`MAX_RECORD`], so that other builds have room too.
const MAX_MESSAGE: usize = 1 << 20;

/// How topics are created.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Partitions of each: one per lane, so [`PARTITIONS`].
    pub partitions: i32,
    /// Copies of each record.
    pub replication: i32,
    /// How many of them must be written before a record counts as published.
    pub min_in_sync: i32,
    /// How long records are kept.
    pub retention: Duration,
}

/// What is wrong with a topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// The brokers cannot be asked now.
    #[error("the brokers at {brokers} (KAFKA_BOOTSTRAP_SERVERS) are away: {why}")]
    Away {
        /// Where they were looked for.
        brokers: String,
        /// What happened.
        why: String,
    },
    /// It is not there.
    #[error("the topic {0} does not exist: run `tutti topics create`")]
    Missing(String),
    /// It has another number of partitions than a service has lanes.
    #[error(
        "the topic {topic} has {found} partitions, and must have {PARTITIONS}, one per lane: create it anew with `tutti topics create`, and publish its events again with `tutti republish`"
    )]
    Partitions {
        /// Which.
        topic: String,
        /// How many it has.
        found: usize,
    },
    /// It would refuse what the log may hold.
    #[error(
        "the topic {topic} takes records of at most {found} bytes (max.message.bytes), and must take {MAX_RECORD}: raise it, or run `tutti topics create` on a new cluster"
    )]
    TooSmall {
        /// Which.
        topic: String,
        /// Its max.message.bytes.
        found: usize,
    },
    /// It would delete records by key instead of by age.
    #[error("the topic {topic} has cleanup.policy={found}, and must have `delete`: a lane with holes cannot be read")]
    Compacted {
        /// Which.
        topic: String,
        /// Its cleanup.policy.
        found: String,
    },
    /// The brokers refuse to delete it.
    #[error("the topic {topic} cannot be deleted: {why}")]
    NotDeleted {
        /// Which.
        topic: String,
        /// In the brokers' words.
        why: String,
    },
    /// The brokers refuse to create it.
    #[error("the topic {topic} cannot be created: {why}")]
    Refused {
        /// Which.
        topic: String,
        /// In the brokers' words.
        why: String,
    },
}

fn admin(settings: &Settings) -> Result<AdminClient<DefaultClientContext>, TopicError> {
    settings.client().create().map_err(|e: KafkaError| away(settings, &e))
}

fn away(settings: &Settings, error: &KafkaError) -> TopicError {
    TopicError::Away { brokers: settings.brokers.clone(), why: error.to_string() }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(ASK_WITHIN)).operation_timeout(Some(ASK_WITHIN))
}

/// Creates the topics of these services that are not there yet, and holds all of them against what is needed. Returns
/// the names of those that it created.
///
/// # Errors
/// When one cannot be created, or is there and is not as it must be.
pub async fn create(settings: &Settings, services: &[&str], layout: &Layout) -> Result<Vec<String>, TopicError> {
    let topics: Vec<_> = services.iter().map(|service| settings.topic(service)).collect();
    let retention = layout.retention.as_millis().to_string();
    let (min_in_sync, largest) = (layout.min_in_sync.to_string(), MAX_MESSAGE.to_string());
    let new = |topic| {
        NewTopic::new(topic, layout.partitions, TopicReplication::Fixed(layout.replication))
            // A reader knows by the numbers whether it has everything, so records go by age and never by key.
            .set("cleanup.policy", "delete")
            .set("retention.ms", &retention)
            .set("min.insync.replicas", &min_in_sync)
            .set("max.message.bytes", &largest)
            .set("compression.type", "producer")
    };
    let new: Vec<_> = topics.iter().map(|topic| new(topic)).collect();
    if new.is_empty() {
        return Ok(vec![]);
    }
    let results = admin(settings)?.create_topics(&new, &options()).await.map_err(|e| away(settings, &e))?;
    let mut created = vec![];
    for result in results {
        match result {
            Ok(topic) => created.push(topic),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, why)) => return Err(TopicError::Refused { topic, why: why.to_string() }),
        }
    }
    wait_until_there(settings, services).await?;
    Ok(created)
}

/// Deletes the topics of these services, with everything on them, and waits until they are gone. Returns the names of
/// those that were there.
///
/// # Errors
/// When one cannot be deleted.
pub async fn delete(settings: &Settings, services: &[&str]) -> Result<Vec<String>, TopicError> {
    let topics: Vec<_> = services.iter().map(|service| settings.topic(service)).collect();
    let names: Vec<_> = topics.iter().map(String::as_str).collect();
    let admin = admin(settings)?;
    let results = admin.delete_topics(&names, &options()).await.map_err(|e| away(settings, &e))?;
    let mut deleted = vec![];
    for result in results {
        match result {
            Ok(topic) => deleted.push(topic),
            Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
            Err((topic, why)) => return Err(TopicError::NotDeleted { topic, why: why.to_string() }),
        }
    }
    let deadline = tokio::time::Instant::now() + 2 * ASK_WITHIN;
    while there(settings, &admin, &topics)? && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(deleted)
}

/// Whether any of these topics is there.
fn there(
    settings: &Settings,
    admin: &AdminClient<DefaultClientContext>,
    topics: &[String],
) -> Result<bool, TopicError> {
    let metadata = admin.inner().fetch_metadata(None, ASK_WITHIN).map_err(|e| away(settings, &e))?;
    Ok(metadata.topics().iter().any(|found| topics.iter().any(|topic| topic == found.name())))
}

/// A topic that was just created takes a moment to be known to every broker.
async fn wait_until_there(settings: &Settings, services: &[&str]) -> Result<(), TopicError> {
    let deadline = tokio::time::Instant::now() + 2 * ASK_WITHIN;
    loop {
        match assert(settings, services).await {
            Err(TopicError::Missing(_)) if tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            result => return result,
        }
    }
}

/// Holds the topics of these services against what this build needs.
///
/// # Errors
/// Names the first topic that is not as it must be, and what to do.
pub async fn assert(settings: &Settings, services: &[&str]) -> Result<(), TopicError> {
    let admin = admin(settings)?;
    let topics: Vec<_> = services.iter().map(|service| settings.topic(service)).collect();
    for topic in &topics {
        let metadata = admin.inner().fetch_metadata(Some(topic), ASK_WITHIN).map_err(|e| away(settings, &e))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
        let found = found.ok_or_else(|| TopicError::Missing(topic.clone()))?.partitions().len();
        if i32::try_from(found) != Ok(PARTITIONS) {
            return Err(TopicError::Partitions { topic: topic.clone(), found });
        }
    }
    let resources: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
    let configs = admin.describe_configs(&resources, &options()).await.map_err(|e| away(settings, &e))?;
    for (topic, config) in topics.iter().zip(configs) {
        let config = config.map_err(|e| away(settings, &KafkaError::AdminOp(e)))?;
        let value = |name| config.get(name).and_then(|entry| entry.value.clone()).unwrap_or_default();
        let largest = value("max.message.bytes").parse().unwrap_or(usize::MAX);
        if largest < MAX_RECORD {
            return Err(TopicError::TooSmall { topic: topic.clone(), found: largest });
        }
        let policy = value("cleanup.policy");
        if policy.contains("compact") {
            return Err(TopicError::Compacted { topic: topic.clone(), found: policy });
        }
    }
    Ok(())
}
