//! A shop of which only the order service runs.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request},
};
use choreography::{Event, Topic};
use order::{
    api::{OrderApi, router},
    catalogue::Catalogue,
};
use runtime::{
    Engine, Handle, KeyError, Keyring, LogRow, Parts, Shared, SystemClock,
    bus::{Bus, LogBus, LogHub},
    host::{self, Running},
    keyring::KeyAnswer,
    secret::ShopSecret,
    store::{Batch, MemoryStore, Store},
    telemetry::Spans,
};
use serde_json::{Value, json};
use shared_events::CustomerKey;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tower::ServiceExt;

/// A customer whose key is gone.
pub const FORGOTTEN: &str = "c-forgotten";
/// A customer whose key cannot be read now.
pub const UNREACHABLE: &str = "c-unreachable";

struct Keys;

impl Keyring for Keys {
    fn make_or_get<'a>(&'a self, customer: &'a str) -> KeyAnswer<'a> {
        Box::pin(std::future::ready(match customer {
            FORGOTTEN => Err(KeyError::Forgotten),
            UNREACHABLE => Err(KeyError::Away("unplugged".into())),
            _ => Ok(CustomerKey::from_bytes([7; 32])),
        }))
    }
    fn get<'a>(&'a self, customer: &'a str) -> KeyAnswer<'a> {
        self.make_or_get(customer)
    }
}

/// A service that is played.
struct Played {
    store: MemoryStore,
    bus: LogBus,
    seq: u64,
}

pub struct Shop {
    pub handle: Handle,
    pub store: MemoryStore,
    routes: Router,
    played: Mutex<HashMap<&'static str, Played>>,
    running: Option<Running>,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Shop {
    pub fn open() -> Shop {
        Shop::traced(Spans::default())
    }

    /// A shop whose spans are seen.
    pub fn traced(spans: Spans) -> Shop {
        let (store, mut hub, mut played) = (MemoryStore::new(1), LogHub::default(), HashMap::new());
        hub.add("order", Arc::new(store.clone()));
        let names = ["inventory", "payment", "shipping"];
        let stores = names.map(|name| (name, MemoryStore::new(1)));
        stores.iter().for_each(|(name, store)| hub.add(name, Arc::new(store.clone())));
        let (hub, shared) = (Arc::new(hub), Shared::traced("order", Arc::new(store.clone()), spans));
        for (name, store) in stores {
            played.insert(name, Played { store, bus: hub.connect(name, &[], shared.intake.bell()), seq: 0 });
        }
        let service = order::service();
        let bus = Box::new(hub.connect("order", &service.sources(), shared.intake.bell()));
        let engine = Engine::new(Parts {
            service,
            store: Box::new(store.clone()),
            bus,
            performers: vec![],
            clock: Arc::new(SystemClock),
            shared: shared.clone(),
            owner: "test".into(),
            build: 1,
        });
        let (ended, _) = tokio::sync::mpsc::unbounded_channel();
        let running = host::start(engine.unwrap(), ended).unwrap();
        let handle = Handle::new(shared);
        let routes = routes(handle.clone(), Catalogue::built_in().unwrap());
        Shop { handle, store, routes, played: Mutex::new(played), running: Some(running) }
    }

    /// The same shop after its catalogue was changed.
    pub fn now_selling(&mut self, catalogue: Catalogue) {
        self.routes = routes(self.handle.clone(), catalogue);
    }

    /// The API's part of the OpenAPI document.
    pub fn document(&self) -> Value {
        let api = api(self.handle.clone(), Catalogue::built_in().unwrap());
        serde_json::to_value(router(api).to_openapi()).unwrap()
    }

    pub async fn send(&self, request: axum::http::request::Builder, body: impl Into<Body>) -> Answer {
        let response = self.routes.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body };
        if answer.status >= 400 {
            assert_eq!(answer.headers["content-type"], "application/problem+json");
            assert_eq!(answer.body["status"], answer.status);
        }
        answer
    }

    pub async fn get(&self, uri: &str) -> Answer {
        self.send(Request::get(uri), Body::empty()).await
    }

    pub async fn place(&self, key: &str, request: &Value) -> Answer {
        let builder = Request::post("/orders").header("content-type", "application/json");
        self.send(builder.header("idempotency-key", key), request.to_string()).await
    }

    /// Places an order that is accepted, and returns its id.
    pub async fn placed(&self, key: &str, request: &Value) -> String {
        let answer = self.place(key, request).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.body["order_id"].as_str().unwrap().to_owned()
    }

    pub async fn cancel(&self, id: &str) -> Answer {
        self.send(Request::post(format!("/orders/{id}/cancellation")), Body::empty()).await
    }

    /// Another service says something.
    pub fn said<E: Event>(&self, event: E) {
        let mut played = self.played.lock().unwrap();
        let Played { store, bus, seq } = played.get_mut(E::Topic::NAME).unwrap();
        *seq += 1;
        let row = Arc::new(LogRow {
            lane: 0,
            generation: 1,
            seq: *seq,
            key: Event::key(&event).to_owned(),
            name: E::NAME.into(),
            schema: E::VERSION,
            body: event.encode().unwrap().into(),
            cause: "command Test".into(),
            trace: format!("00-{}-0000000000000001-01", Event::key(&event)),
            epoch: 1,
            at: 1_700_000_000_000_000,
        });
        let lead = runtime::Read::lead(store).unwrap();
        store.commit(&Batch { lead, published: *seq, log: vec![row.clone()], ..Batch::default() }).unwrap();
        bus.publish(&[row]);
    }

    /// Waits until the order is so.
    pub async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut watch = self.handle.watch(id);
        loop {
            let order = self.get(&format!("/orders/{id}")).await.body;
            if wanted(&order) {
                return order;
            }
            assert!(watch.changed(Duration::from_secs(10)).await, "it stays {order}");
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().unwrap();
        }
    }
}

fn api(handle: Handle, catalogue: Catalogue) -> OrderApi {
    let secret = ShopSecret::from_bytes([3; 32]);
    OrderApi::new(handle, secret, Arc::new(Keys), Arc::new(catalogue), Duration::from_secs(900))
}

fn routes(handle: Handle, catalogue: Catalogue) -> Router {
    runtime::http::finish(router(api(handle, catalogue)).split_for_parts().0)
}

pub fn request() -> Value {
    json!({ "customer_id": "c-42", "email": "ada@example.com", "phone": "+49301234567",
        "lines": [{ "sku": "TEA-001", "quantity": 2 }],
        "shipping_address": { "name": "Ada Lovelace", "street": "Invalidenstr. 1", "city": "Berlin",
            "postal_code": "10115", "country": "DE" },
        "payment_token": "tok_ok" })
}

/// The request with one member changed.
pub fn with(pointer: &str, value: impl Into<Value>) -> Value {
    let mut request = request();
    *request.pointer_mut(pointer).unwrap() = value.into();
    request
}
