//! A stand-in for the shop: the API's shapes with fixed answers, and the real binary run against it.

#![allow(clippy::unwrap_used)] // Only tests include this file; clippy knows that of their functions, not of helpers.

use axum::{
    Json, Router,
    extract::Path,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
    routing::{get, patch, post},
};
use serde_json::{Value, json};
use std::{fmt, process::Command};

/// An order that completed.
pub const COMPLETED: &str = "0af7651916cd43dd8448eb211c80319c";
/// An order whose card was declined.
pub const DECLINED: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// An address at which nobody listens: port 1 needs privileges and belongs to a service nobody runs.
pub fn nobody() -> &'static str {
    "http://127.0.0.1:1"
}

/// How one run of the binary went.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    args: String,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$ tutti {}\n{}{}exit code: {}", self.args, self.stdout, self.stderr, self.code)
    }
}

/// Runs the binary against the shop at `url`; the address is written as `http://shop` in what comes back.
pub fn tutti(args: &[&str], url: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tutti"));
    command.args(args).env_clear().env("TUTTI_URL", url);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(url, "http://shop");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    Ran { code: output.status.code().unwrap(), stdout, stderr, args: args.join(" ") }
}

/// The running stand-in; it ends with the test.
pub struct StandIn {
    pub url: String,
    _tokio: tokio::runtime::Runtime,
}

impl StandIn {
    pub fn open() -> StandIn {
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = tokio.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio.spawn(async move { axum::serve(listener, routes()).await });
        StandIn { url, _tokio: tokio }
    }
}

fn routes() -> Router {
    Router::new()
        .route("/orders", post(place).get(list))
        .route("/orders/{id}", get(order))
        .route("/orders/{id}/events", get(events))
        .route("/stock", get(stock))
        .route("/world", patch(|Json(body): Json<Value>| async move { Json(body) }))
}

fn problem(status: StatusCode, title: &str, detail: &str, field: Option<&str>) -> Response {
    let body =
        json!({ "type": "/problems/x", "title": title, "status": status.as_u16(), "detail": detail, "field": field });
    (status, Json(body)).into_response()
}

async fn place(Json(body): Json<Value>) -> Response {
    if body["lines"][0]["quantity"].as_i64() > Some(1000) {
        let detail = "must be at least 1 and at most 1000";
        return problem(StatusCode::BAD_REQUEST, "The request is not valid", detail, Some("lines[0].quantity"));
    }
    let id = if body["payment_token"] == "tok_declined" { DECLINED } else { COMPLETED };
    (StatusCode::ACCEPTED, Json(json!({ "order_id": id, "state": "pending", "trace_id": id }))).into_response()
}

async fn order(Path(id): Path<String>) -> Response {
    match id.as_str() {
        COMPLETED => Json(completed()).into_response(),
        DECLINED => Json(declined()).into_response(),
        "html" => Html("<h1>It works!</h1>").into_response(),
        _ => problem(StatusCode::NOT_FOUND, "No such order", &format!("There is no order {id}."), None),
    }
}

fn completed() -> Value {
    json!({ "order_id": COMPLETED, "customer_id": "c-42", "state": "completed", "settled": true, "reason": null,
        "total": { "amount_minor": 2590, "currency": "EUR" }, "lines": [], "version": 9, "trace_id": COMPLETED,
        "placed_at": "2026-01-31T12:04:05.678901Z", "waiting_for": null })
}

fn declined() -> Value {
    json!({ "order_id": DECLINED, "customer_id": "c-42", "state": "cancelled", "settled": true,
        "reason": "payment_declined", "total": { "amount_minor": 1295, "currency": "EUR" }, "lines": [], "version": 5,
        "trace_id": DECLINED, "placed_at": "2026-01-31T12:05:00.000000Z", "waiting_for": null })
}

async fn list() -> Json<Value> {
    Json(json!({ "items": [completed(), declined()], "next": "o-2" }))
}

async fn events(Path(_): Path<String>) -> Json<Value> {
    let event = |at: &str, service: &str, name: &str, id: &str, cause: &str| {
        json!({ "at": at, "service": service, "type": name, "key": DECLINED, "version": 1, "id": id,
            "causation_id": cause, "trace_id": DECLINED, "data": {} })
    };
    Json(json!({ "items": [
        event("2026-01-31T12:05:00.000000Z", "order", "OrderPlaced", "7.0.1", "command PlaceOrder"),
        event("2026-01-31T12:05:00.003000Z", "inventory", "StockReserved", "8.0.1", "order/7.0.1"),
        event("2026-01-31T12:05:00.005500Z", "payment", "PaymentRequested", "9.0.1", "inventory/8.0.1"),
        event("2026-01-31T12:05:01.205500Z", "payment", "PaymentFailed", "9.0.2", "payment/9.0.1 via charge#3"),
        event("2026-01-31T12:05:01.208000Z", "order", "OrderCancelled", "7.0.2", "payment/9.0.2"),
    ]}))
}

async fn stock() -> Json<Value> {
    Json(json!({ "items": [
        { "sku": "TEA-001", "on_hand": 100, "reserved": 8, "available": 92, "replenished": 120 },
        { "sku": "POT-001", "on_hand": 3, "reserved": 3, "available": 0, "replenished": 3 },
    ]}))
}
