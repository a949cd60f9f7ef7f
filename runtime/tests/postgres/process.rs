//! A process of a service, as it would run in a cluster: the real engine on a thread of its own, and a port at which it
//! takes commands. It is this test program, started again.

use crate::{
    server::handle,
    support::{
        bus::ScriptedBus,
        desk::trace,
        service::{self, Count},
        world::World,
    },
};
use runtime::{
    Engine, Handle, Parts, Rejected, Shared, host,
    store::{Database, PostgresRead, PostgresStore},
};
use std::{
    env,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{self, Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

/// Set in a process that is started by a test: the URL of its database.
const DATABASE: &str = "TUTTI_TEST_PROCESS_OF";
/// Said once a process takes commands.
const LISTENS: &str = "listens at ";
/// A process that does not answer within this is paused or gone; the caller goes to another one.
const PATIENCE: Duration = Duration::from_millis(1500);

/// One process of the service. Dropping it kills it.
pub struct Process {
    child: Child,
    /// Kept open, because a process that cannot write what it says ends.
    _says: BufReader<ChildStdout>,
    pub address: SocketAddr,
}

/// What became of a command.
#[derive(Debug)]
pub enum Answer {
    /// It is durable.
    Done,
    /// The process at this address leads.
    Led(SocketAddr),
    /// It may or may not have been carried out.
    Unknown,
    /// It cannot be carried out.
    Failed(String),
}

impl Process {
    /// Starts one. `test` is the test that calls this; in the process that is started it must begin with [`play`].
    pub fn start(test: &str, database: &str) -> Process {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(DATABASE, database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut says = BufReader::new(child.stdout.take().unwrap());
        let mut lines = says.by_ref().lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.split_once(LISTENS).map(|(_, address)| address.parse().unwrap()));
        Process { child, _says: says, address: address.expect("it ended before it took commands") }
    }

    /// Sends a signal: STOP, CONT.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([format!("-{signal}"), self.child.id().to_string()]).status();
        assert!(sent.unwrap().success(), "kill -{signal}");
    }

    /// Whether it ended, although nobody killed it.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Also one that is stopped; it may have ended by itself.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// One caller's connections: it stays with a process as long as that answers.
#[derive(Default)]
pub struct Line(Option<(SocketAddr, BufReader<TcpStream>)>);

impl Line {
    /// Offers one command to the process at an address.
    pub fn offer(&mut self, address: SocketAddr, key: &str, n: u64) -> Answer {
        let answer = self.ask(address, key, n).unwrap_or(Answer::Unknown);
        if matches!(answer, Answer::Unknown) {
            self.0 = None;
        }
        answer
    }

    fn ask(&mut self, address: SocketAddr, key: &str, n: u64) -> io::Result<Answer> {
        let (_, stream) = match self.0.take().filter(|(connected_to, _)| *connected_to == address) {
            Some(line) => self.0.insert(line),
            None => {
                let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                self.0.insert((address, BufReader::new(stream)))
            }
        };
        stream.get_mut().write_all(format!("{key} {n}\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_line(&mut answer)?;
        Ok(match answer.trim_end().split_once(' ') {
            Some(("done", _)) => Answer::Done,
            Some(("led", owner)) => owner.parse().map_or(Answer::Unknown, Answer::Led),
            Some(("failed", why)) => Answer::Failed(why.to_owned()),
            _ => Answer::Unknown,
        })
    }
}

/// In a process that was started by a test this never returns.
pub fn play() {
    let Ok(url) = env::var(DATABASE) else { return };
    // Whoever started it keeps this open; so it ends with the test, however that ends.
    std::thread::spawn(|| {
        _ = io::stdin().read(&mut [0]);
        process::exit(0);
    });
    let why = handle().block_on(serve(&url));
    eprintln!("a process ended by itself: {why}");
    process::exit(1);
}

async fn serve(url: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let database = Database::new(url, handle()).unwrap();
    let shared = Shared::new("desk", Arc::new(PostgresRead::new(database.clone())));
    let store = PostgresStore::new(database);
    let parts = Parts {
        service: service::service(),
        clock: store.clock(),
        store: Box::new(store),
        bus: Box::new(ScriptedBus::default()),
        performers: World::default().performers(),
        shared: shared.clone(),
        owner: address.to_string(),
        build: 1,
    };
    let (tell, mut ended) = mpsc::unbounded_channel();
    host::start(Engine::new(parts).unwrap(), tell).unwrap();
    let desk = Handle::new(shared);
    desk.begun().await.unwrap();
    println!("{LISTENS}{address}");
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => drop(tokio::spawn(answer(stream, desk.clone()))),
            Some(why) = ended.recv() => return why,
        }
    }
}

/// Answers one connection, a line for each command.
async fn answer(stream: tokio::net::TcpStream, desk: Handle) {
    let (read, mut write) = stream.into_split();
    let mut lines = tokio::io::BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let (key, n) = line.split_once(' ').unwrap();
        let answer = match desk.command(Count { key: key.to_owned(), n: n.parse().unwrap() }, trace()).await {
            Ok(_) => "done now\n".to_owned(),
            Err(Rejected::Led(owner)) => format!("led {owner}\n"),
            Err(Rejected::Failed(why)) => format!("failed {why}\n"),
            Err(other) => format!("later {other:?}\n"),
        };
        // A caller that went away repeats itself.
        if write.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
