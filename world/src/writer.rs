//! The one thread that writes a simulator's book: whatever has arrived goes into one transaction, and nobody hears of
//! it before the commit. Idle it is blocked on its channel until a job comes or something is due.

use crate::line::NoAnswer;
use runtime::clock::{Clock, Micros};
use rusqlite::{Connection, TransactionBehavior};
use std::{
    io,
    sync::{Arc, Weak, mpsc},
    thread,
    time::Duration,
};
use tokio::sync::{Semaphore, oneshot};

/// At most so many jobs share one transaction.
const BATCH: usize = 1_024;
/// At most so many calls wait for the writer; the next ones wait for room.
const ROOM: usize = 4_096;
/// How long the writer rests after a transaction failed, so that a full disk does not become a busy loop.
const REST: Duration = Duration::from_millis(200);

/// The book gives its memory back when nothing came for this long.
const QUIET: Duration = Duration::from_secs(1);

/// What a writer keeps in memory beside its book, and what it does by the clock.
pub(crate) trait Desk: Send + 'static {
    /// When [`Desk::tick`] has something to do although no job comes.
    fn due(&self) -> Option<Micros> {
        None
    }
    /// Does what is due, at the end of the transaction of every batch.
    fn tick(&mut self, book: &Connection, now: Micros) -> rusqlite::Result<()>;
    /// The batch is on the disk.
    fn committed(&mut self) {}
    /// A batch was rolled back, or this is the start: forget everything and read what is true.
    fn reload(&mut self, book: &Connection, now: Micros) -> rusqlite::Result<()>;
}

/// What happens after the commit.
type Reply = Box<dyn FnOnce() + Send>;
type Job<D> = Box<dyn FnOnce(&Connection, &mut D) -> rusqlite::Result<Reply> + Send>;

/// Hands jobs to the thread. When the last one is dropped, the thread finishes what it has and closes the book.
pub(crate) struct Writer<D> {
    name: &'static str,
    jobs: mpsc::Sender<Job<D>>,
    room: Arc<Semaphore>,
}

impl<D: Desk> Writer<D> {
    /// Starts the thread; `desk` gets the writer's own address, for work that comes back to it.
    pub(crate) fn start(
        name: &'static str,
        book: Connection,
        clock: Arc<dyn Clock>,
        desk: impl FnOnce(Weak<Writer<D>>) -> D,
    ) -> io::Result<Arc<Writer<D>>> {
        let (jobs, arriving) = mpsc::channel();
        let writer = Arc::new(Writer { name, jobs, room: Arc::new(Semaphore::new(ROOM)) });
        let desk = desk(Arc::downgrade(&writer));
        let scribe = Scribe { name, book, arriving, clock, desk, stale: true, failing: false, rested: false };
        thread::Builder::new().name(format!("world-{name}")).spawn(move || scribe.work())?;
        Ok(writer)
    }

    /// Does `work` in the next transaction and answers once that is committed. The work is done even if the caller
    /// does not wait for the answer.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &mut D) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let stopped = || NoAnswer::Broken(format!("the {} could not write its book", self.name));
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(|_| stopped())?;
        let (reply, answer) = oneshot::channel();
        self.post(move |book, desk| {
            let done = work(book, desk)?;
            Ok(Box::new(move || {
                drop(room);
                // A caller who has given up will ask again under the same key.
                drop(reply.send(done));
            }))
        });
        answer.await.map_err(|_| stopped())
    }

    /// Leaves a job without waiting for room or an answer; whoever does so bounds how many there are.
    pub(crate) fn post(&self, job: impl FnOnce(&Connection, &mut D) -> rusqlite::Result<Reply> + Send + 'static) {
        // The thread ends only after every sender is gone, so this fails only if it died; then callers see their
        // reply channel close.
        drop(self.jobs.send(Box::new(job)));
    }
}

/// The thread's side.
struct Scribe<D> {
    name: &'static str,
    book: Connection,
    arriving: mpsc::Receiver<Job<D>>,
    clock: Arc<dyn Clock>,
    desk: D,
    /// Whether the desk must be read from the book before the next batch: at the start, and after a failure.
    stale: bool,
    /// Whether the last batch failed.
    failing: bool,
    /// Whether the book has given its memory back since the last batch.
    rested: bool,
}

impl<D: Desk> Scribe<D> {
    fn work(mut self) {
        self.settle(Vec::new());
        while let Some(batch) = self.next() {
            self.settle(batch);
        }
    }

    /// Waits for a job or for what is due; `None` when nobody can send any more.
    fn next(&mut self) -> Option<Vec<Job<D>>> {
        let due = if self.stale { Some(self.clock.now()) } else { self.desk.due() };
        let first = match due {
            None => Some(self.arriving()?),
            Some(due) => match self.arriving.recv_timeout(self.until(due)) {
                Ok(job) => Some(job),
                Err(mpsc::RecvTimeoutError::Timeout) => None,
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
            },
        };
        self.rested = false;
        Some(first.into_iter().chain(self.arriving.try_iter()).take(BATCH).collect())
    }

    /// The next job, however long it takes.
    fn arriving(&mut self) -> Option<Job<D>> {
        if !self.rested {
            match self.arriving.recv_timeout(QUIET) {
                Ok(job) => return Some(job),
                Err(mpsc::RecvTimeoutError::Timeout) => self.rest(),
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
            }
        }
        self.arriving.recv().ok()
    }

    /// Statements hold on to what they were last run with, and the cache to its pages.
    fn rest(&mut self) {
        self.book.flush_prepared_statement_cache();
        if let Err(cause) = self.book.execute_batch("PRAGMA shrink_memory") {
            tracing::debug!(book = self.name, %cause, "keeps its memory");
        }
        self.rested = true;
    }

    fn until(&self, due: Micros) -> Duration {
        Duration::from_micros(u64::try_from(due.saturating_sub(self.clock.now())).unwrap_or(0))
    }

    /// A failed batch is dropped whole: its callers see no answer and ask again. One log line tells when it begins to
    /// fail and one when it works again.
    fn settle(&mut self, batch: Vec<Job<D>>) {
        let committed = self.commit(batch);
        self.stale = committed.is_err();
        self.tell(committed.as_ref().err());
        match committed {
            Ok(replies) => {
                replies.into_iter().for_each(|reply| reply());
                self.desk.committed();
            }
            Err(_) => thread::sleep(REST),
        }
    }

    fn tell(&mut self, cause: Option<&rusqlite::Error>) {
        match cause {
            Some(cause) if !self.failing => {
                tracing::error!(book = self.name, %cause, "cannot write the book; will try again");
            }
            None if self.failing => tracing::info!(book = self.name, "the book can be written again"),
            _ => {}
        }
        self.failing = cause.is_some();
    }

    fn commit(&mut self, batch: Vec<Job<D>>) -> rusqlite::Result<Vec<Reply>> {
        let transaction = self.book.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let now = self.clock.now();
        if self.stale {
            self.desk.reload(&transaction, now)?;
        }
        let mut replies = Vec::with_capacity(batch.len());
        for job in batch {
            replies.push(job(&transaction, &mut self.desk)?);
        }
        self.desk.tick(&transaction, now)?;
        transaction.commit()?;
        Ok(replies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::clock::SystemClock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts the transactions.
    struct Counting(Arc<AtomicUsize>);

    impl Desk for Counting {
        fn tick(&mut self, _book: &Connection, _now: Micros) -> rusqlite::Result<()> {
            Ok(())
        }
        fn reload(&mut self, _book: &Connection, _now: Micros) -> rusqlite::Result<()> {
            Ok(())
        }
        fn committed(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn writer() -> (Arc<Writer<Counting>>, Arc<AtomicUsize>) {
        let book = Connection::open_in_memory().expect("a book");
        book.execute_batch("CREATE TABLE t (x INTEGER PRIMARY KEY)").expect("a table");
        let commits = Arc::new(AtomicUsize::new(0));
        let desk = Counting(Arc::clone(&commits));
        (Writer::start("test", book, Arc::new(SystemClock), |_| desk).expect("a thread"), commits)
    }

    async fn put(writer: &Writer<Counting>, x: i64) -> Result<usize, NoAnswer> {
        writer.write(move |book, _| book.prepare_cached("INSERT INTO t VALUES (?)")?.execute([x])).await
    }

    #[tokio::test]
    async fn what_arrives_together_shares_a_transaction() {
        let (writer, commits) = writer();
        let (open, gate) = mpsc::channel::<()>();
        let holding = tokio::spawn({
            let writer = Arc::clone(&writer);
            async move { writer.write(move |_, _| Ok(gate.recv().is_ok())).await }
        });
        let callers: Vec<_> = (0..500)
            .map(|x| {
                let writer = Arc::clone(&writer);
                tokio::spawn(async move { put(&writer, x).await })
            })
            .collect();
        // Every caller has left its job before the gate opens: the tasks run in turn, and each stops at its answer.
        while writer.room.available_permits() > ROOM - 501 {
            tokio::task::yield_now().await;
        }
        open.send(()).expect("the writer waits");
        assert_eq!(holding.await.expect("a task"), Ok(true));
        for caller in callers {
            assert_eq!(caller.await.expect("a task"), Ok(1));
        }
        assert!(commits.load(Ordering::SeqCst) <= 4, "{commits:?} transactions for 501 jobs");
    }

    #[tokio::test]
    async fn a_failed_batch_is_answered_by_nobody_and_the_next_one_works() {
        let (writer, _) = writer();
        assert_eq!(put(&writer, 1).await, Ok(1));
        assert!(matches!(put(&writer, 1).await, Err(NoAnswer::Broken(_))));
        assert_eq!(put(&writer, 2).await, Ok(1));
        let count = writer.write(|book, _| book.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)));
        assert_eq!(count.await, Ok(2));
    }
}
