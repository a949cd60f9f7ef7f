//! An open edge, and stand-ins for what is behind it.

use axum::Router;
use reqwest::Response;
use runtime::remote::{ServerUrl, UrlSetting};
use serde_json::Value;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tutti::edge::{SERVICES, Server, Settings, WORLD};

/// No answer takes longer in a test that expects one.
const PATIENCE: Duration = Duration::from_secs(30);

/// Nobody listens there: port 1 needs privileges and belongs to a service nobody runs.
pub fn nobody() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 1))
}

/// A stand-in for a service; it ends with the test's runtime.
pub async fn stand_in(routes: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

/// A stand-in that answers every connection with these bytes and closes it.
pub async fn breaking_off_after(bytes: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 4096];
            _ = connection.read(&mut request).await;
            _ = connection.write_all(bytes).await;
        }
    });
    address
}

fn url(address: SocketAddr) -> ServerUrl {
    let setting = UrlSetting { name: "TEST_URL", scheme: "http", example: "http://127.0.0.1:8080" };
    setting.parse(&format!("http://{address}")).unwrap()
}

/// Settings of an edge behind which nobody is.
pub fn alone() -> Settings {
    let addresses = |names: &[&'static str]| names.iter().map(|name| (*name, url(nobody()))).collect();
    Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        public: addresses(&[&SERVICES[..], &[WORLD]].concat()),
        admin: addresses(&SERVICES),
        answer_within: PATIENCE,
    }
}

/// With this service's public address.
pub fn with(mut settings: Settings, service: &str, address: SocketAddr) -> Settings {
    settings.public.iter_mut().filter(|(name, _)| *name == service).for_each(|(_, at)| *at = url(address));
    settings
}

/// With this service's admin address.
pub fn with_admin(mut settings: Settings, service: &str, address: SocketAddr) -> Settings {
    settings.admin.iter_mut().filter(|(name, _)| *name == service).for_each(|(_, at)| *at = url(address));
    settings
}

pub struct Opened {
    pub server: Server,
    pub url: String,
    pub http: reqwest::Client,
}

pub async fn open(settings: &Settings) -> Opened {
    let server = Server::open(settings).await.unwrap();
    let url = format!("http://{}", server.address());
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    Opened { server, url, http }
}

impl Opened {
    pub async fn get(&self, path: &str) -> Response {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    /// The document at a path, with its status.
    pub async fn read(&self, path: &str) -> (u16, Value) {
        let response = self.get(path).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// The first line of the answer to a request that no well-behaved client sends.
    pub async fn raw(&self, request_line: &str) -> String {
        let mut connection = TcpStream::connect(self.server.address()).await.unwrap();
        let request = format!("{request_line} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }
}

/// The whole problem, of a refusal that must be one.
pub async fn problem(response: Response, status: u16) -> Value {
    assert_eq!(response.status().as_u16(), status, "{response:?}");
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let retry = response.headers().get("retry-after").cloned();
    assert_eq!(retry.is_some(), status == 503, "{response:?}");
    response.json().await.unwrap()
}
