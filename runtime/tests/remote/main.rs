//! What a call over HTTP carries, and how it ends when the other side misbehaves.

#![allow(clippy::unwrap_used, reason = "where a test cannot go on, it has failed")]

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Redirect},
};
use runtime::{
    remote::{NoReply, Remote, UrlSetting},
    trace::{self, TraceId, Traceparent},
};
use serde_json::{Value, json};
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{io::AsyncReadExt, net::TcpListener};

const SETTING: UrlSetting = UrlSetting { name: "THERE_URL", scheme: "http", example: "http://there" };
/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

type Heard = Arc<Mutex<Vec<(Method, String, HeaderMap, Bytes)>>>;

/// A server that remembers what it hears; what it answers depends on the path.
async fn there() -> (String, Heard) {
    let heard = Heard::default();
    let remembers = heard.clone();
    let routes = Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
        let path = uri.path().to_owned();
        remembers.lock().unwrap().push((method, path.clone(), headers, body));
        async move {
            match path.as_str() {
                "/silent" => std::future::pending().await,
                "/elsewhere" => Redirect::temporary("/told").into_response(),
                "/endless" => Body::from(vec![b' '; 65 * 1024]).into_response(),
                "/busy" => StatusCode::TOO_MANY_REQUESTS.into_response(),
                "/refused" => StatusCode::UNAUTHORIZED.into_response(),
                _ => axum::Json(json!({ "told": true })).into_response(),
            }
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (address.to_string(), heard)
}

fn remote(url: &str, timeout: Duration) -> Remote {
    Remote::new("there", SETTING.parse(url).unwrap(), timeout).unwrap()
}

#[tokio::test]
async fn a_call_carries_its_key_its_body_and_its_trace() {
    let (address, heard) = there().await;
    let remote = remote(&format!("http://shop:pass%20word@{address}/base"), PATIENCE);
    let parent = Traceparent::from(TraceId::of_text("an order"));
    let body = json!({ "amount_minor": 2590 });
    let reply = trace::within(parent, remote.post(&["captures"], "payment/charge/o-1", &body)).await.unwrap();
    assert_eq!((reply.status, reply.json::<Value>()), (StatusCode::OK, Some(json!({ "told": true }))));
    let (method, path, headers, sent) = heard.lock().unwrap().remove(0);
    assert_eq!((method, path.as_str()), (Method::POST, "/base/captures"));
    assert_eq!(headers["idempotency-key"], "payment/charge/o-1");
    assert_eq!(headers["traceparent"], parent.to_string().as_str());
    assert_eq!(headers["authorization"], "Basic c2hvcDpwYXNzIHdvcmQ=");
    assert_eq!(serde_json::from_slice::<Value>(&sent).unwrap(), body);
}

#[tokio::test]
async fn outside_of_an_order_there_is_no_trace() {
    let (address, heard) = there().await;
    remote(&format!("http://{address}"), PATIENCE).get(&["operations", "a/b c"]).await.unwrap();
    let (_, path, headers, _) = heard.lock().unwrap().remove(0);
    assert_eq!((path.as_str(), headers.get("traceparent")), ("/operations/a%2Fb%20c", None));
}

#[tokio::test]
async fn a_server_that_is_not_there_surely_heard_nothing() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = remote(&format!("http://{gone}"), PATIENCE).post(&["a"], "k", &0).await.unwrap_err();
    assert!(matches!(error, NoReply::NotSent(_)), "{error:?}");
}

#[tokio::test]
async fn silence_and_a_broken_connection_leave_it_open_whether_it_was_heard() {
    let (address, heard) = there().await;
    let impatient = remote(&format!("http://{address}"), Duration::from_millis(200));
    let error = impatient.post(&["silent"], "k", &0).await.unwrap_err();
    assert_eq!(error, NoReply::Lost("no reply in time".into()));
    assert_eq!(heard.lock().unwrap().len(), 1, "it was heard");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hangs_up = tokio::spawn(async move {
        let (mut caller, _) = listener.accept().await.unwrap();
        caller.read(&mut [0; 1024]).await.unwrap()
    });
    let error = remote(&format!("http://{address}"), PATIENCE).post(&["a"], "k", &0).await.unwrap_err();
    assert!(matches!(error, NoReply::Lost(_)), "{error:?}");
    assert!(hangs_up.await.unwrap() > 0);
}

/// What is logged on this thread, until it is dropped.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_wrong_credential_is_a_warning_once_until_it_is_mended() {
    let (address, _) = there().await;
    let remote = remote(&format!("http://shop:hunter2@{address}"), PATIENCE);
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().without_time().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    for path in ["refused", "refused", "busy", "told", "busy", "told", "refused"] {
        let reply = remote.get(&[path]).await.unwrap();
        if !reply.status.is_success() {
            remote.says_nothing(&reply);
        }
    }
    let said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let levels: Vec<&str> = said.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(levels, ["WARN", "INFO", "WARN"], "{said}");
    assert!(said.contains("401") && !said.contains("hunter2"), "{said}");
}

#[tokio::test]
async fn a_reply_is_read_to_a_bound_and_never_followed_elsewhere() {
    let (address, heard) = there().await;
    let remote = remote(&format!("http://{address}"), PATIENCE);
    let endless = remote.get(&["endless"]).await.unwrap_err();
    assert!(matches!(&endless, NoReply::Lost(why) if why.contains("longer than 65536 bytes")), "{endless:?}");
    let elsewhere = remote.post(&["elsewhere"], "k", &0).await.unwrap();
    assert_eq!(elsewhere.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(heard.lock().unwrap().len(), 2);
    let refused = remote.get(&["refused"]).await.unwrap();
    assert_eq!(remote.says_nothing(&refused), "a reply that is no answer, with status 401 Unauthorized");
}
