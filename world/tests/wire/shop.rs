//! The shipping service on the real engine, with its API; its neighbours say what a test wants.

use crate::served::{PATIENCE, Served, serve, until};
use choreography::Topic;
use runtime::{
    Engine, FileKeyring, Handle, Keyring, LogRow, Parts, Shared, Store, SystemClock, TraceId, Traceparent,
    bus::LogHub,
    host::{self, Running},
    performer,
    remote::ServerUrl,
    store::{Batch, Lead, MemoryStore},
};
use shared_events::{
    Money, Personal, Sealed, order::Event as OrderEvent, order::OrderConfirmed, payment::Event as PaymentEvent,
    payment::PaymentCompleted,
};
use shipping::{
    api::ShippingApi,
    carrier::{
        ParcelCarrier,
        http::{CARRIER_URL, HttpCarrier},
    },
    domain::{BookLabel, CancelLabel, HandOver},
    signature::{WebhookSecret, WebhookSecrets},
};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;

/// What carrier and shop share.
pub fn secret() -> WebhookSecret {
    WebhookSecret::parse("CARRIER_WEBHOOK_SECRET", "a secret that only tests share").unwrap()
}

/// A service that only says what a test wants.
struct Neighbour {
    store: MemoryStore,
    lead: Lead,
}

impl Neighbour {
    fn new() -> Neighbour {
        let mut store = MemoryStore::new(1);
        let lead = store.begin_reign("test", 1).unwrap();
        Neighbour { store, lead }
    }

    fn says<E: Topic>(&mut self, event: &E) {
        let trace: TraceId = event.key().parse().unwrap();
        let row = LogRow {
            lane: 0,
            generation: self.lead.generation,
            seq: self.lead.head + 1,
            key: event.key().into(),
            name: event.name().into(),
            schema: event.version(),
            body: event.encode().unwrap().into(),
            cause: "command Tell".into(),
            trace: Traceparent::from(trace).to_string(),
            epoch: self.lead.epoch,
            at: 1,
        };
        self.store.commit(&Batch { lead: self.lead, log: vec![Arc::new(row)], ..Batch::default() }).unwrap();
        self.lead.commits += 1;
        self.lead.head += 1;
    }
}

/// Shipping at work.
pub struct Shop {
    pub handle: Handle,
    pub address: String,
    payment: Neighbour,
    order: Neighbour,
    shared: Arc<Shared>,
    keyring: Arc<dyn Keyring>,
    running: Option<Running>,
    _folder: TempDir,
}

impl Drop for Shop {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().unwrap();
        }
    }
}

impl Shop {
    /// Opens it with the carrier that this world serves.
    pub async fn open(carrier: ServerUrl) -> Shop {
        let folder = tempfile::tempdir().unwrap();
        let keyring: Arc<dyn Keyring> = FileKeyring::open(&folder.path().join("keyring.db")).unwrap();
        let (store, payment, order) = (MemoryStore::new(1), Neighbour::new(), Neighbour::new());
        let mut hub = LogHub::default();
        hub.add("shipping", Arc::new(store.clone()));
        hub.add("payment", Arc::new(payment.store.clone()));
        hub.add("order", Arc::new(order.store.clone()));
        let (hub, shared) = (Arc::new(hub), Shared::new("shipping", Arc::new(store.clone())));
        let service = shipping::service(Duration::from_secs(3600));
        let bus = Box::new(hub.connect("shipping", &service.sources(), shared.intake.bell()));
        let carrier = Arc::new(HttpCarrier::new(carrier, PATIENCE).unwrap());
        let adapter = || ParcelCarrier::new(carrier.clone(), keyring.clone(), PATIENCE);
        let clock = Arc::new(SystemClock);
        let performers = vec![
            performer::<BookLabel>(adapter(), clock.clone()),
            performer::<HandOver>(adapter(), clock.clone()),
            performer::<CancelLabel>(adapter(), clock.clone()),
        ];
        let (store, owner) = (Box::new(store), "test".into());
        let parts =
            Parts { service, store, bus, performers, clock: clock.clone(), shared: shared.clone(), owner, build: 1 };
        let (ended, _) = tokio::sync::mpsc::unbounded_channel();
        let running = Some(host::start(Engine::new(parts).unwrap(), ended).unwrap());
        let handle = Handle::new(shared.clone());
        handle.begun().await.unwrap();
        let secrets = WebhookSecrets { current: secret(), previous: None };
        let api = ShippingApi::new(handle.clone(), secrets, clock);
        let address = serve(shipping::api::router(api).split_for_parts().0).await;
        Shop { handle, address, payment, order, shared, keyring, running, _folder: folder }
    }

    /// Opens it with the carrier of this world.
    pub async fn at(served: &Served) -> Shop {
        Shop::open(served.url(CARRIER_URL, "carrier")).await
    }

    /// An order is paid and, once it has a label, confirmed: then its parcel is released.
    pub async fn release(&mut self, order_id: &str) {
        let sealed = self.sealed().await;
        let (order_id, customer_id) = (order_id.to_owned(), "c-42".to_owned());
        let total = Money { amount_minor: 2_590, currency: "EUR".into() };
        let paid = PaymentCompleted {
            order_id: order_id.clone(),
            customer_id: customer_id.clone(),
            lines: vec![],
            total: total.clone(),
            receipt: "R-1".into(),
            sealed: sealed.clone(),
        };
        self.payment.says(&PaymentEvent::from(paid));
        self.shared.intake.bell().ring();
        self.said(&order_id, "ShipmentScheduled").await;
        let confirmed = OrderConfirmed { order_id: order_id.clone(), customer_id, total, sealed };
        self.order.says(&OrderEvent::from(confirmed));
        self.shared.intake.bell().ring();
        self.said(&order_id, "ShipmentReleased").await;
    }

    async fn sealed(&self) -> Sealed<Personal> {
        let key = self.keyring.make_or_get("c-42").await.unwrap();
        let personal = Personal {
            email: "ada@example.com".into(),
            phone: None,
            name: "Ada".into(),
            street: "Weg 1".into(),
            city: "Berlin".into(),
            postal_code: "10115".into(),
            country: "DE".into(),
            payment_token: "tok_ok".into(),
        };
        Sealed::seal(&key, "c-42", &personal).unwrap()
    }

    /// What shipping has said about an order, in words.
    pub async fn log(&self, order_id: &str) -> Vec<String> {
        self.handle.log_of(order_id).await.unwrap().iter().map(|row| row.name.clone()).collect()
    }

    /// Waits until shipping has said this about an order.
    pub async fn said(&self, order_id: &str, event: &str) {
        until(event, || async { self.log(order_id).await.into_iter().find(|said| said == event) }).await;
    }
}
