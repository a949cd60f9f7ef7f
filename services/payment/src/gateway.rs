//! The payment gateway as this service needs it, and the adapter through which the effects reach it.

pub mod conformance;
pub mod http;

use crate::domain::{Charge, Refund};
use choreography::Effect;
use runtime::{
    Adapter, Outcome,
    keyring::{KeyError, Keyring},
};
use shared_events::{DeclineReason, Money, OrderId};
use std::{fmt, future::Future, sync::Arc, time::Duration};

/// How long to wait for the gateway before the end of an attempt counts as unknown.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// Take so much of what the token stands for.
#[derive(Clone, PartialEq, Eq)]
pub struct CaptureRequest {
    /// The order.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
    /// What the gateway gave the client in place of a card. It does not show in `Debug`.
    pub token: String,
}

impl fmt::Debug for CaptureRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CaptureRequest { order_id, amount, token: _ } = self;
        f.debug_struct("CaptureRequest").field("order_id", order_id).field("amount", amount).finish_non_exhaustive()
    }
}

/// Give back what was taken under `capture_key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRequest {
    /// The order.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
    /// The idempotency key of the capture.
    pub capture_key: String,
}

/// A definite answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayAnswer {
    /// The money has moved.
    Succeeded {
        /// The gateway's name for it.
        receipt: String,
    },
    /// It has not, and under this key it never will.
    Declined {
        /// The gateway's word for why, as `card_declined`, `insufficient_funds`, `refund_refused`.
        code: String,
    },
}

/// No definite answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// A timeout, a 5xx, still in progress: nobody knows yet.
    #[error("the payment gateway gives no answer: {0}")]
    Unavailable(String),
}

/// A payment gateway. The first call under a key decides; every later one gets the same answer.
pub trait Gateway: Send + Sync + 'static {
    /// Takes money.
    fn capture(
        &self,
        key: &str,
        request: &CaptureRequest,
    ) -> impl Future<Output = Result<GatewayAnswer, GatewayError>> + Send;
    /// Gives money back.
    fn refund(
        &self,
        key: &str,
        request: &RefundRequest,
    ) -> impl Future<Output = Result<GatewayAnswer, GatewayError>> + Send;
    /// What became of an earlier call; `None` when the gateway knows nothing of the key.
    fn find(&self, key: &str) -> impl Future<Output = Result<Option<GatewayAnswer>, GatewayError>> + Send;
}

/// Performs [`Charge`] and [`Refund`] on a gateway.
pub struct PaymentGateway<G> {
    gateway: Arc<G>,
    keyring: Arc<dyn Keyring>,
    timeout: Duration,
}

impl<G: Gateway> PaymentGateway<G> {
    /// The adapter for a gateway. The keyring opens the payment token; each call waits at most `timeout`.
    pub fn new(gateway: Arc<G>, keyring: Arc<dyn Keyring>, timeout: Duration) -> PaymentGateway<G> {
        PaymentGateway { gateway, keyring, timeout }
    }

    /// The payment token, or how the attempt ends without one.
    async fn token(&self, charge: &Charge) -> Result<String, Outcome<Charge>> {
        let key = self.keyring.get(&charge.customer_id).await.map_err(|no_key| match no_key {
            KeyError::Forgotten => Outcome::Refused(DeclineReason::Forgotten),
            KeyError::Unknown | KeyError::Away(_) => Outcome::Unclear(no_key.to_string()),
        })?;
        let opened = charge.sealed.open(&key, &charge.customer_id);
        opened.map(|personal| personal.payment_token).map_err(|e| Outcome::Stuck(format!("the payment token: {e}")))
    }

    async fn within<A>(&self, call: impl Future<Output = Result<A, GatewayError>>) -> Result<A, String> {
        match tokio::time::timeout(self.timeout, call).await {
            Ok(answer) => answer.map_err(|e| e.to_string()),
            Err(_) => Err(format!("the payment gateway gave no answer within {:?}", self.timeout)),
        }
    }
}

impl<G: Gateway> Adapter<Charge> for PaymentGateway<G> {
    async fn call(&self, key: &str, charge: &Charge) -> Outcome<Charge> {
        let token = match self.token(charge).await {
            Ok(token) => token,
            Err(ended) => return ended,
        };
        let request = CaptureRequest { order_id: charge.order_id.clone(), amount: charge.amount.clone(), token };
        match self.within(self.gateway.capture(key, &request)).await {
            Ok(answer) => charge_ended(answer),
            Err(why) => Outcome::Unclear(why),
        }
    }

    async fn ask(&self, key: &str, _: &Charge) -> Option<Outcome<Charge>> {
        match self.within(self.gateway.find(key)).await {
            Ok(found) => found.map(charge_ended),
            Err(why) => Some(Outcome::Unclear(why)),
        }
    }
}

fn charge_ended(answer: GatewayAnswer) -> Outcome<Charge> {
    match answer {
        GatewayAnswer::Succeeded { receipt } => Outcome::Done(receipt),
        GatewayAnswer::Declined { code } if code == "insufficient_funds" => {
            Outcome::Refused(DeclineReason::InsufficientFunds)
        }
        GatewayAnswer::Declined { .. } => Outcome::Refused(DeclineReason::Declined),
    }
}

impl<G: Gateway> Adapter<Refund> for PaymentGateway<G> {
    async fn call(&self, key: &str, refund: &Refund) -> Outcome<Refund> {
        let request = RefundRequest {
            order_id: refund.order_id.clone(),
            amount: refund.amount.clone(),
            capture_key: format!("payment/{}/{}", Charge::NAME, refund.order_id),
        };
        match self.within(self.gateway.refund(key, &request)).await {
            Ok(answer) => refund_ended(answer),
            Err(why) => Outcome::Unclear(why),
        }
    }

    async fn ask(&self, key: &str, _: &Refund) -> Option<Outcome<Refund>> {
        match self.within(self.gateway.find(key)).await {
            Ok(found) => found.map(refund_ended),
            Err(why) => Some(Outcome::Unclear(why)),
        }
    }
}

/// The customer must get the money back, so a refusal is nothing to go on with: a person looks.
fn refund_ended(answer: GatewayAnswer) -> Outcome<Refund> {
    match answer {
        GatewayAnswer::Succeeded { .. } => Outcome::Done(()),
        GatewayAnswer::Declined { code } => Outcome::Stuck(format!("the payment gateway refuses the refund: {code}")),
    }
}
