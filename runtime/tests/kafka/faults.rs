//! Faults between a client and the real servers: connections that break, brokers that are out of reach, a registry that
//! is down, slow, broken or empty.

use crate::cluster::RUNTIME;
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::watch,
    task::JoinHandle,
};

/// Stands before each broker. Brokers tell clients where to find them, so their answers are changed to lead here.
pub struct BrokerProxy {
    pub brokers: String,
    open: watch::Sender<bool>,
    /// Counted up to break every connection.
    cuts: watch::Sender<u32>,
    pub connections: Arc<AtomicUsize>,
    tasks: Vec<JoinHandle<()>>,
}

/// `host:port` as a broker writes it, and the port to write instead.
#[derive(Clone)]
struct Detour {
    told: Vec<u8>,
    instead: Vec<u8>,
}

impl BrokerProxy {
    /// None where the brokers call themselves by a name that is not this machine's.
    pub fn before(brokers: &str) -> Option<BrokerProxy> {
        let started = RUNTIME.block_on(BrokerProxy::start(brokers));
        if started.is_none() {
            eprintln!(
                "skipped: set KAFKA_BOOTSTRAP_SERVERS to brokers on this machine, so that a proxy can stand in for them"
            );
        }
        started
    }

    async fn start(brokers: &str) -> Option<BrokerProxy> {
        let (mut listeners, mut detours) = (vec![], vec![]);
        for broker in brokers.split(',') {
            let (host, port) = broker.rsplit_once(':').unwrap();
            let listener = TcpListener::bind((host, 0)).await.ok()?;
            let written = |port: u16| [host.as_bytes(), &u32::from(port).to_be_bytes()].concat();
            let here = listener.local_addr().unwrap().port();
            detours.push(Detour { told: written(port.parse().unwrap()), instead: written(here) });
            listeners.push((listener, broker.to_owned(), format!("{host}:{here}")));
        }
        let (open, cuts) = (watch::Sender::new(true), watch::Sender::new(0));
        let connections = Arc::<AtomicUsize>::default();
        let brokers: Vec<_> = listeners.iter().map(|(_, _, here)| here.clone()).collect();
        let mut tasks = vec![];
        for (listener, broker, _) in listeners {
            let (detours, open, cuts) = (detours.clone(), open.subscribe(), cuts.subscribe());
            tasks.push(tokio::spawn(accept(listener, broker, detours, open, cuts, connections.clone())));
        }
        Some(BrokerProxy { brokers: brokers.join(","), open, cuts, connections, tasks })
    }

    /// Breaks every connection; new ones are let through.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Out of reach, or in reach again.
    pub fn set_open(&self, open: bool) {
        self.open.send_replace(open);
        self.cut();
    }
}

impl Drop for BrokerProxy {
    fn drop(&mut self) {
        self.cut();
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn accept(
    listener: TcpListener,
    broker: String,
    detours: Vec<Detour>,
    open: watch::Receiver<bool>,
    cuts: watch::Receiver<u32>,
    connections: Arc<AtomicUsize>,
) {
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        if !*open.borrow() {
            continue; // hung up
        }
        connections.fetch_add(1, Ordering::Relaxed);
        let Ok(server) = TcpStream::connect(&broker).await else { continue };
        let (detours, mut cuts) = (detours.clone(), cuts.clone());
        cuts.mark_unchanged();
        tokio::spawn(async move {
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::select! {
                _ = cuts.changed() => {}
                () = pass_on(from_client, to_server) => {}
                () = lead_here(from_server, to_client, &detours) => {}
            }
        });
    }
}

async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    _ = tokio::io::copy(&mut from, &mut to).await;
}

async fn lead_here(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, detours: &[Detour]) {
    while let Ok(length) = from.read_u32().await {
        let mut answer = vec![0; length as usize];
        if from.read_exact(&mut answer).await.is_err() {
            return;
        }
        for detour in detours {
            let width = detour.told.len();
            for at in 0..answer.len().saturating_sub(width - 1) {
                if answer[at..at + width] == detour.told {
                    answer[at..at + width].copy_from_slice(&detour.instead);
                }
            }
        }
        if to.write_u32(length).await.is_err() || to.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// How the registry behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// The connection is refused.
    Down,
    Broken,
    /// Never answers.
    Slow,
    /// A fresh one, that knows nothing.
    Wiped,
    /// Says so of everything, as a proxy without a server behind it does.
    NotFound,
    Forbidden,
    /// Answers every request for a schema with another event's.
    Mixed,
}

/// Stands before the registry, in some mood.
pub struct RegistryProxy {
    pub url: String,
    mood: Arc<Mutex<Mood>>,
    pub calls: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Behind {
    registry: String,
    mood: Arc<Mutex<Mood>>,
    calls: Arc<AtomicUsize>,
    http: reqwest::Client,
}

impl RegistryProxy {
    pub fn before(registry: &str, mood: Mood) -> RegistryProxy {
        let (mood, calls) = (Arc::new(Mutex::new(mood)), Arc::<AtomicUsize>::default());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let behind = Behind { registry: registry.to_owned(), mood: mood.clone(), calls: calls.clone(), http };
        let listener = RUNTIME.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(behind);
        let task = RUNTIME.spawn(async move { axum::serve(listener, router).await.unwrap() });
        RegistryProxy { url, mood, calls, task }
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

impl Drop for RegistryProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(behind): State<Behind>, method: Method, uri: Uri, body: Bytes) -> Response {
    behind.calls.fetch_add(1, Ordering::Relaxed);
    let mood = *behind.mood.lock().unwrap();
    let unknown = |code: u32| {
        (StatusCode::NOT_FOUND, format!(r#"{{"error_code":{code},"message":"not found"}}"#)).into_response()
    };
    match mood {
        // A peer that hangs up in the middle looks like one that is not there.
        Mood::Down => panic!("down on request"),
        Mood::Broken => (StatusCode::INTERNAL_SERVER_ERROR, "oops").into_response(),
        Mood::Slow => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            StatusCode::OK.into_response()
        }
        Mood::Wiped if uri.path() == "/subjects" => "[]".into_response(),
        Mood::Wiped if uri.path().starts_with("/schemas") => unknown(40403),
        Mood::Wiped => unknown(40401),
        Mood::NotFound => (StatusCode::NOT_FOUND, "<html>not found</html>").into_response(),
        Mood::Forbidden => (StatusCode::FORBIDDEN, r#"{"error_code":40301,"message":"no"}"#).into_response(),
        Mood::Mixed if uri.path().starts_with("/schemas") => {
            r#"{"schema":"{\"type\":\"record\",\"name\":\"Other\",\"fields\":[]}"}"#.into_response()
        }
        Mood::Well | Mood::Mixed => behind.pass_on(method, &uri, body).await,
    }
}

impl Behind {
    async fn pass_on(&self, method: Method, uri: &Uri, body: Bytes) -> Response {
        let url = format!("{}{}", self.registry, uri.path_and_query().unwrap());
        let request = self.http.request(method, url).header("content-type", "application/json").body(body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, answer.bytes().await.unwrap()).into_response()
    }
}
