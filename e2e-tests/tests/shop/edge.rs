//! The edge as a process of its own, in front of one shop whose routes stand for the services'. Only the services' admin
//! ports are stand-ins; they tell their parts of the timelines that the shop tells.

use crate::{
    client::{Client, items},
    program::tutti,
    request::tea,
    shop::Shop,
    wait::until,
};
use axum::{Json, Router, extract::Path, routing::get};
use serde_json::{Value, json};
use std::process::{ExitStatus, Stdio};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

const SERVICES: [&str; 5] = ["order", "inventory", "payment", "shipping", "email"];

/// An edge, and the process that it is.
pub struct Edge {
    pub client: Client,
    process: Child,
}

impl Edge {
    /// Opens an edge in front of `shop`.
    pub async fn open(shop: &Shop) -> Edge {
        let url = shop.client.address().unwrap();
        let mut command = tutti(&["--json", "edge", "--listen", "127.0.0.1:0"]);
        command.env("WORLD_URL", &url).stderr(Stdio::inherit());
        for service in SERVICES {
            let upper = service.to_uppercase();
            command.env(format!("{upper}_URL"), &url);
            command.env(format!("{upper}_ADMIN_URL"), admin_of(shop.client.clone(), service).await);
        }
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let client = Client::default();
        client.moved_to(serde_json::from_str::<Value>(&line).unwrap()["url"].as_str().unwrap());
        Edge { client, process }
    }

    /// SIGTERM, and how it ended.
    pub async fn terminate(mut self) -> ExitStatus {
        let signal = format!("kill -TERM {}", self.process.id().unwrap());
        assert!(Command::new("sh").args(["-c", &signal]).status().await.unwrap().success());
        self.process.wait().await.unwrap()
    }
}

/// A stand-in for a service's admin port.
async fn admin_of(shop: Client, service: &'static str) -> String {
    let log = get(move |Path(key): Path<String>| async move { Json(part(&shop, service, &key).await) });
    let routes = Router::new().route("/log/{key}", log).route("/health/ready", get(|| async { "ready\n" }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

async fn part(shop: &Client, service: &str, key: &str) -> Value {
    let mut whole = json!({ "items": [], "open": [] });
    for path in [format!("/orders/{key}/events"), format!("/stock/{key}/events")] {
        let found = shop.get(&path).await;
        if found.status == 200 {
            whole = found.expect(200);
            break;
        }
    }
    let own = |member: &str| items(whole.clone(), member).into_iter().filter(|row| row["service"] == service).collect();
    let (said, open): (Vec<Value>, Vec<Value>) = (own("items"), own("open"));
    json!({ "items": said, "open": open })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_its_way_through_the_edge_as_through_the_shop() {
    let mut shop = Shop::open(&["--world", "carrier.transit_ms=10"]).await;
    let edge = Edge::open(&shop).await;
    let id = edge.client.placed("k-1", &tea("c-1")).await;
    assert_eq!(edge.client.placed("k-1", &tea("c-1")).await, id, "the key arrives");
    assert_eq!(edge.client.settled(&id).await["state"], "completed");
    shop.client.said(&id, "EmailSent").await;
    let path = format!("/orders/{id}/events");
    let names = |timeline: &Value| -> Vec<String> {
        let mut names: Vec<String> = items(timeline.clone(), "items").iter().map(Value::to_string).collect();
        names.sort();
        names
    };
    // More may be said between the two questions, the last mails for instance.
    let told = until("the edge tells what the shop tells", || async {
        let (told, whole) = (edge.client.read(&path).await, shop.client.read(&path).await);
        (names(&told) == names(&whole)).then_some(told)
    })
    .await;
    assert!(told.get("away").is_none(), "{told}");
    for path in ["/products", "/stock", "/gateway/ledger", "/carrier/parcels", "/mailbox", "/world", "/health/ready"] {
        edge.client.read(path).await;
    }
    assert!(edge.terminate().await.success());
    shop.close().await;
}

#[tokio::test]
async fn an_edge_with_a_wrong_setting_says_which() {
    let mut command = tutti(&["edge", "--listen", "127.0.0.1:0"]);
    command.env("PAYMENT_ADMIN_URL", "payment:8081");
    crate::program::run(command).await.refused(2, &["PAYMENT_ADMIN_URL", "`payment:8081`", "http://payment:8081"]);
}
