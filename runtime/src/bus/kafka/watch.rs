//! Asks the brokers what librdkafka does not tell: where the lanes end by now, and whether the topics are still what
//! they were. A thread of its own asks over connections of its own, because a broker answers one question at a time on
//! each, and the reader's is busy waiting for records.
//!
//! At rest it asks every ten seconds; otherwise as soon as a reader wants to know whether it has followed.

use super::{
    Settings,
    config::{ASK_WITHIN, Quiet},
    topics::PARTITIONS,
};
use crate::{bus::Bell, reign::Lane};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::{KafkaError, KafkaResult},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// How often everything is looked at without being asked.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// After an answer did not come, the question is not repeated sooner.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Offsets that moved are committed this often; all are at least once an hour, so that the brokers do not forget them.
const COMMIT_EVERY: Duration = Duration::from_secs(5);
const COMMIT_AT_LEAST_EVERY: Duration = Duration::from_secs(3600);

/// What is known of one lane.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// The offset of the first record that is still there.
    pub low: Option<i64>,
    /// The offset behind the last record, and when it was asked for.
    pub high: Option<(i64, Instant)>,
    /// The lane was cut back or created anew so many times: what was known of its offsets is worthless.
    pub restarts: u64,
    /// The topic is not there any more.
    pub gone: Option<String>,
    /// What is wrong with the topic, though it can be read.
    complaint: Option<String>,
}

#[derive(Default)]
struct Shared {
    lanes: HashMap<Lane, Facts>,
    /// Why the brokers cannot be asked, if they cannot.
    away: Option<String>,
    wanted: bool,
    /// How far each lane is read, for those who watch the lag.
    read: HashMap<Lane, i64>,
    closing: bool,
}

/// The eyes of one service's reader.
pub(super) struct Watch {
    eyes: Arc<Eyes>,
    thread: Option<JoinHandle<()>>,
}

struct Eyes {
    shared: Mutex<Shared>,
    wake: Condvar,
}

impl Eyes {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Begins to watch these lanes, of which this is known; `reader` is the consumer whose offsets are committed.
    pub fn start(
        settings: &Settings,
        service: &str,
        lanes: HashMap<Lane, Facts>,
        reader: Arc<BaseConsumer<Quiet>>,
        bell: Arc<Bell>,
    ) -> KafkaResult<Watch> {
        let topics = lanes.keys().map(|lane| (*lane, settings.topic(lane.0))).collect();
        let shared = Shared { lanes, ..Shared::default() };
        let eyes = Arc::new(Eyes { shared: Mutex::new(shared), wake: Condvar::new() });
        let asking = Asking {
            topics,
            client: settings.consumer(service)?,
            reader,
            bell,
            gone: HashSet::new(),
            committed: HashMap::new(),
            committed_at: Instant::now(),
        };
        let watching = eyes.clone();
        let thread = std::thread::Builder::new().name(format!("{service}-watch")).spawn(move || asking.run(&watching));
        let thread = thread.map_err(|e| KafkaError::ClientCreation(e.to_string()))?;
        Ok(Watch { eyes, thread: Some(thread) })
    }

    /// What is known of a lane, and why nothing newer is.
    pub fn facts(&self, lane: Lane) -> (Facts, Option<String>) {
        let shared = self.eyes.shared();
        (shared.lanes.get(&lane).cloned().unwrap_or_default(), shared.away.clone())
    }

    /// What is known of every lane.
    pub fn known(&self) -> HashMap<Lane, Facts> {
        self.eyes.shared().lanes.clone()
    }

    /// Somebody wants to know where the lanes end now.
    pub fn ask(&self) {
        let mut shared = self.eyes.shared();
        if !shared.wanted {
            shared.wanted = true;
            self.eyes.wake.notify_one();
        }
    }

    /// A lane is read up to an offset, durably.
    pub fn read_up_to(&self, lane: Lane, offset: i64) {
        self.eyes.shared().read.insert(lane, offset);
    }

    /// What is wrong with a topic, though it can be read.
    pub fn complaint(&self) -> Option<String> {
        self.eyes.shared().lanes.values().find_map(|facts| facts.complaint.clone())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.eyes.shared().closing = true;
        self.eyes.wake.notify_one();
        // A question under way takes its time, and closing a client may hang: nobody waits for that.
        drop(self.thread.take());
    }
}

struct Asking {
    topics: Vec<(Lane, String)>,
    client: BaseConsumer<Quiet>,
    reader: Arc<BaseConsumer<Quiet>>,
    bell: Arc<Bell>,
    /// Topics that were not there when they were looked at last.
    gone: HashSet<Lane>,
    committed: HashMap<Lane, i64>,
    committed_at: Instant,
}

impl Asking {
    fn run(mut self, eyes: &Eyes) {
        let mut look_at = Instant::now();
        let mut failed_at: Option<Instant> = None;
        while let Some(wanted) = self.wait(eyes, look_at, failed_at) {
            let due = Instant::now() >= look_at;
            let mut answer = if due { self.look() } else { self.ends(Answer::default()) };
            if due {
                look_at = Instant::now() + LOOK_EVERY;
            } else if answer.is_err() {
                answer = self.look(); // which topic is gone, if one is, is told only by looking at each
            }
            failed_at = answer.is_err().then(Instant::now);
            // Now and then a reader looks whether it gets what there is: one that gets nothing hears of nothing.
            if note(&mut eyes.shared(), answer) || wanted || due {
                self.bell.ring();
            }
            self.commit(eyes);
            // Serves what the clients say of themselves.
            drop(self.reader.poll(Duration::ZERO));
            drop(self.client.poll(Duration::ZERO));
        }
    }

    /// Waits until there is something to ask, and tells whether a reader wants to know. Nothing when the bus is closed.
    fn wait(&self, eyes: &Eyes, look_at: Instant, failed_at: Option<Instant>) -> Option<bool> {
        let not_before = failed_at.map(|at| at + ASK_AGAIN);
        let mut shared = eyes.shared();
        loop {
            let now = Instant::now();
            let next = if shared.wanted { not_before.unwrap_or(now) } else { look_at.max(not_before.unwrap_or(now)) };
            if shared.closing {
                return None;
            }
            if next <= now {
                return Some(std::mem::take(&mut shared.wanted));
            }
            shared = eyes.wake.wait_timeout(shared, next - now).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Everything: what the topics are like, and where the lanes begin and end.
    fn look(&mut self) -> KafkaResult<Answer> {
        let layout = self.layout()?;
        self.gone = layout.gone.keys().copied().collect();
        self.ends(layout)
    }

    /// Where all lanes begin and end.
    fn ends(&self, answer: Answer) -> KafkaResult<Answer> {
        let asked = Instant::now();
        let (highs, lows) = (self.offsets(Offset::End)?, self.offsets(Offset::Beginning)?);
        Ok(Answer { asked: Some(asked), highs, lows, ..answer })
    }

    /// One request per broker.
    fn offsets(&self, which: Offset) -> KafkaResult<HashMap<Lane, i64>> {
        let (mut ends, mut list) = (HashMap::new(), TopicPartitionList::new());
        for (lane, topic) in self.topics.iter().filter(|(lane, _)| !self.gone.contains(lane)) {
            list.add_partition_offset(topic, i32::from(lane.1), which)?;
        }
        if list.count() == 0 {
            return Ok(ends);
        }
        let answered = self.client.offsets_for_times(list, ASK_WITHIN)?;
        for (lane, topic) in &self.topics {
            let found = answered.find_partition(topic, i32::from(lane.1));
            if let Some(Offset::Offset(offset)) = found.filter(|found| found.error().is_ok()).map(|f| f.offset()) {
                ends.insert(*lane, offset);
            }
        }
        Ok(ends)
    }

    /// What is wrong with the topics, if something is.
    fn layout(&self) -> KafkaResult<Answer> {
        let mut answer = Answer { looked: true, ..Answer::default() };
        for (lane, topic) in &self.topics {
            let metadata = self.client.fetch_metadata(Some(topic), ASK_WITHIN)?;
            let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
            match found.map_or(0, |found| found.partitions().len()) {
                0 => _ = answer.gone.insert(*lane, gone(topic)),
                count if i32::try_from(count) == Ok(PARTITIONS) => {}
                count => _ = answer.complaints.insert(*lane, repartitioned(topic, count)),
            }
        }
        Ok(answer)
    }

    fn commit(&mut self, eyes: &Eyes) {
        let read = eyes.shared().read.clone();
        let age = self.committed_at.elapsed();
        let due = if read == self.committed { COMMIT_AT_LEAST_EVERY } else { COMMIT_EVERY };
        if read.is_empty() || age < due {
            return;
        }
        let mut list = TopicPartitionList::new();
        for (lane, topic) in &self.topics {
            if let Some(offset) = read.get(lane) {
                // Fails only for a list that cannot hold it; then nothing is committed, and lag tools see an old one.
                _ = list.add_partition_offset(topic, i32::from(lane.1), Offset::Offset(*offset));
            }
        }
        match self.reader.commit(&list, CommitMode::Async) {
            Ok(()) => (self.committed, self.committed_at) = (read, Instant::now()),
            Err(error) => tracing::debug!(%error, "offsets are not committed"),
        }
    }
}

fn gone(topic: &str) -> String {
    format!("the topic {topic} is gone: run `tutti topics create`; its service then publishes it again")
}

fn repartitioned(topic: &str, count: usize) -> String {
    format!("the topic {topic} has {count} partitions by now, and must have {PARTITIONS}; only the first is read")
}

/// What the brokers told.
#[derive(Default)]
struct Answer {
    /// Before the ends were asked for.
    asked: Option<Instant>,
    highs: HashMap<Lane, i64>,
    lows: HashMap<Lane, i64>,
    /// Whether the topics themselves were looked at, and what is wrong with them.
    looked: bool,
    gone: HashMap<Lane, String>,
    complaints: HashMap<Lane, String>,
}

/// Takes note of an answer, or that there was none. Whether a reader should look although it did not ask.
fn note(shared: &mut Shared, answer: KafkaResult<Answer>) -> bool {
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(error) => return shared.away.replace(format!("the brokers do not answer: {error}")).is_none(),
    };
    let mut news = shared.away.take().is_some();
    for (lane, facts) in &mut shared.lanes {
        if answer.looked {
            let (gone, complaint) = (answer.gone.remove(lane), answer.complaints.remove(lane));
            news |= gone != facts.gone || complaint != facts.complaint;
            (facts.gone, facts.complaint) = (gone, complaint);
        }
        facts.low = answer.lows.get(lane).copied().or(facts.low);
        let Some((high, asked)) = answer.highs.get(lane).copied().zip(answer.asked) else { continue };
        if facts.high.is_some_and(|(before, _)| high < before) {
            (facts.restarts, news) = (facts.restarts + 1, true);
        }
        facts.high = Some((high, asked));
    }
    news
}
