//! Many customers who order all at once, and insist until each request is answered, whatever happens to the shop.

use crate::{
    client::Client,
    request::{order, with},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::{sync::watch, task::JoinSet};

/// How many order at the same time.
const CUSTOMERS: usize = 16;
/// The same where it is not the load that matters.
const FEW: usize = 3;
/// Cards, some of them more often than others.
const CARDS: [&str; 12] = [
    "tok_ok",
    "tok_ok",
    "tok_ok",
    "tok_ok",
    "tok_flaky",
    "tok_ok",
    "tok_timeout_then_success",
    "tok_declined",
    "tok_ok",
    "tok_insufficient_funds",
    "tok_slow",
    "tok_unknown",
];

/// What a customer was answered.
pub struct Accepted {
    pub customer: String,
    pub id: String,
    pub body: Value,
    /// What the cancellation was answered, if there was one.
    pub cancelled: Option<u16>,
}

struct Crowd {
    client: Client,
    leaving: AtomicBool,
    next: AtomicUsize,
    accepted: watch::Sender<usize>,
    /// By customer and key.
    journal: Mutex<BTreeMap<(String, String), Accepted>>,
}

/// Customers at the door.
pub struct Customers {
    crowd: Arc<Crowd>,
    tasks: JoinSet<()>,
}

impl Customers {
    /// They begin to order.
    pub fn come(client: &Client) -> Customers {
        Customers::many(client, 0, CUSTOMERS)
    }

    /// A few begin to order, after others who have sent so many requests.
    #[allow(dead_code, reason = "shared with tests that have only one crowd")]
    pub fn come_after(client: &Client, others: usize) -> Customers {
        Customers::many(client, others, FEW)
    }

    fn many(client: &Client, others: usize, customers: usize) -> Customers {
        let crowd = Arc::new(Crowd {
            client: client.clone(),
            leaving: AtomicBool::new(false),
            next: AtomicUsize::new(others),
            accepted: watch::Sender::new(0),
            journal: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        for _ in 0..customers {
            let crowd = crowd.clone();
            tasks.spawn(async move { crowd.order_on_and_on().await });
        }
        Customers { crowd, tasks }
    }

    /// Waits until so many more orders were accepted.
    pub async fn have_ordered(&self, more: usize) {
        let mut accepted = self.crowd.accepted.subscribe();
        let enough = *accepted.borrow() + more;
        accepted.wait_for(|accepted| *accepted >= enough).await.unwrap();
    }

    /// They finish what they have begun, and go. Gives every order that was accepted.
    pub async fn leave(mut self) -> Vec<Accepted> {
        self.crowd.leaving.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut *self.crowd.journal.lock().unwrap()).into_values().collect()
    }
}

/// The order with this number: customer, key and body. Keys repeat among customers.
fn request(number: usize) -> (String, String, Value) {
    let customer = format!("c-{}", number % 40);
    let lines: &[(&str, i64)] = match number % 11 {
        3 => &[("TEA-001", 1), ("CUP-001", 2)],
        5 => &[("TEA-002", 1), ("POT-RARE", 4)], // one more than there are
        _ => &[("TEA-001", 1)],
    };
    let body = order(&customer, lines, CARDS[number % CARDS.len()]);
    let body = if number % 17 == 4 { with(body, "/shipping_address/country", "XX") } else { body };
    (customer, format!("key-{}", number / 40), body)
}

impl Crowd {
    async fn order_on_and_on(&self) {
        while !self.leaving.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let (customer, key, body) = request(number);
            let id = self.place(&key, &body).await;
            if number.is_multiple_of(5) {
                assert_eq!(self.place(&key, &body).await, id, "{customer} {key}: the same request, another order");
            }
            let cancelled = if number % 7 == 2 { Some(self.cancel(&id).await) } else { None };
            let accepted = Accepted { customer: customer.clone(), id, body, cancelled };
            let before = self.journal.lock().unwrap().insert((customer, key), accepted);
            assert!(before.is_none(), "the test uses a key twice");
            self.accepted.send_modify(|accepted| *accepted += 1);
        }
    }

    async fn place(&self, key: &str, body: &Value) -> String {
        let accepted = self.client.insist("/orders", Some(key), body).await.expect(202);
        accepted["order_id"].as_str().unwrap().to_owned()
    }

    async fn cancel(&self, id: &str) -> u16 {
        let answer = self.client.insist(&format!("/orders/{id}/cancellation"), None, &serde_json::json!({})).await;
        assert!(matches!(answer.status, 202 | 409), "{answer:?}");
        answer.status
    }
}
