//! What every payment gateway is held to: one suite for the port, run on every implementation of it.
//!
//! A check that fails panics, as in any test; its name stands in the output before it. The gateway must know the test
//! cards `tok_ok`, `tok_declined`, `tok_insufficient_funds`, `tok_slow`, `tok_flaky`, `tok_timeout_then_success` and
//! `tok_unknown`, and every other token must be declined.

use super::{CaptureRequest, Gateway, GatewayAnswer, GatewayError, RefundRequest};
use shared_events::Money;
use std::time::Duration;

/// After how long what is in progress must be decided.
const DECIDED_WITHIN: Duration = Duration::from_secs(20);
/// How long to wait before asking again what became of a call.
const ASK_EVERY: Duration = Duration::from_millis(20);

type Answer = Result<GatewayAnswer, GatewayError>;

/// Holds a gateway to its contract. Keys are made unique with `run`, so that one gateway can be held to it repeatedly.
///
/// # Panics
/// When the gateway does something else than it must.
pub async fn gateway(gateway: &impl Gateway, run: &str) {
    let case = |name: &'static str| {
        println!("gateway: {name}");
        Case { gateway, key: format!("{run}/{name}") }
    };
    case("the first call under a key decides").the_first_call_under_a_key_decides().await;
    case("callers at once take the money once").callers_at_once_take_the_money_once().await;
    case("a key is not taken for another body").a_key_is_not_taken_for_another_body().await;
    case("a bad card is declined for good").a_bad_card_is_declined_for_good().await;
    case("a key never heard is unknown").a_key_never_heard_is_unknown().await;
    case("a flaky call leaves no trace").a_flaky_call_leaves_no_trace().await;
    case("a lost answer can be asked for").a_lost_answer_can_be_asked_for().await;
    case("a slow capture is taken").what_is_in_progress_is_decided_later("tok_slow").await;
    case("an unknown capture turns out taken").what_is_in_progress_is_decided_later("tok_unknown").await;
    case("a refund gives back what was captured").a_refund_gives_back_what_was_captured().await;
    case("what was not captured is not given back").what_was_not_captured_is_not_given_back().await;
}

/// One check, with a key of its own.
struct Case<'g, G> {
    gateway: &'g G,
    key: String,
}

impl<G: Gateway> Case<'_, G> {
    fn key(&self, suffix: &str) -> String {
        // Keys hold no spaces and few other characters, as those of the shop.
        format!("{}/{suffix}", self.key.replace(' ', "-"))
    }

    async fn pay(&self, suffix: &str, token: &str) -> Answer {
        self.gateway.capture(&self.key(suffix), &paying(token)).await
    }

    async fn give_back(&self, suffix: &str, amount_minor: i64, captured: &str) -> Answer {
        let request =
            RefundRequest { order_id: "o-1".into(), amount: euros(amount_minor), capture_key: self.key(captured) };
        self.gateway.refund(&self.key(suffix), &request).await
    }

    async fn find(&self, suffix: &str) -> Result<Option<GatewayAnswer>, GatewayError> {
        self.gateway.find(&self.key(suffix)).await
    }

    async fn the_first_call_under_a_key_decides(&self) {
        let first = self.pay("k", "tok_ok").await;
        assert!(matches!(&first, Ok(GatewayAnswer::Succeeded { receipt }) if !receipt.is_empty()), "{first:?}");
        assert_eq!(self.pay("k", "tok_ok").await, first);
        assert_eq!(self.find("k").await, first.map(Some));
    }

    async fn callers_at_once_take_the_money_once(&self) {
        let pay = || self.pay("k", "tok_ok");
        let (first, second, third, fourth) = tokio::join!(pay(), pay(), pay(), pay());
        assert!(has_succeeded(&first), "{first:?}");
        assert_eq!([&second, &third, &fourth], [&first; 3]);
    }

    async fn a_key_is_not_taken_for_another_body(&self) {
        assert!(has_succeeded(&self.pay("k", "tok_ok").await));
        let dearer = CaptureRequest { amount: euros(2_591), ..paying("tok_ok") };
        assert_eq!(self.gateway.capture(&self.key("k"), &dearer).await, declined("idempotency_key_reused"));
        assert_eq!(self.give_back("k", 2_590, "k").await, declined("idempotency_key_reused"));
    }

    async fn a_bad_card_is_declined_for_good(&self) {
        for (token, code) in [
            ("tok_declined", "card_declined"),
            ("tok_insufficient_funds", "insufficient_funds"),
            ("tok_nobody_knows", "card_declined"),
        ] {
            assert_eq!(self.pay(token, token).await, declined(code), "{token}");
            assert_eq!(self.pay(token, token).await, declined(code), "{token}");
            assert_eq!(self.find(token).await, declined(code).map(Some), "{token}");
        }
    }

    async fn a_key_never_heard_is_unknown(&self) {
        assert_eq!(self.find("never-heard").await, Ok(None));
    }

    async fn a_flaky_call_leaves_no_trace(&self) {
        assert!(is_unclear(&self.pay("k", "tok_flaky").await));
        assert_eq!(self.find("k").await, Ok(None));
        assert!(has_succeeded(&self.pay("k", "tok_flaky").await));
    }

    async fn a_lost_answer_can_be_asked_for(&self) {
        assert!(is_unclear(&self.pay("k", "tok_timeout_then_success").await));
        let found = self.find("k").await;
        assert!(matches!(&found, Ok(Some(GatewayAnswer::Succeeded { .. }))), "{found:?}");
        assert_eq!(self.pay("k", "tok_timeout_then_success").await.map(Some), found);
    }

    /// Whoever calls waits or is told nothing; nobody is ever told that the key is unknown.
    async fn what_is_in_progress_is_decided_later(&self, token: &str) {
        let first = self.pay("k", token).await;
        assert!(has_succeeded(&first) || is_unclear(&first), "{first:?}");
        let decided = tokio::time::timeout(DECIDED_WITHIN, async {
            loop {
                match self.find("k").await {
                    Ok(Some(answer)) => break answer,
                    Ok(None) => panic!("{token}: the gateway has forgotten what it began"),
                    Err(GatewayError::Unavailable(_)) => tokio::time::sleep(ASK_EVERY).await,
                }
            }
        });
        let decided = decided.await.map_err(|_| format!("{token} is in progress for ever"));
        assert!(matches!(decided, Ok(GatewayAnswer::Succeeded { .. })), "{decided:?}");
        assert_eq!(self.pay("k", token).await.map_err(|e| e.to_string()), decided);
    }

    async fn a_refund_gives_back_what_was_captured(&self) {
        assert!(has_succeeded(&self.pay("k", "tok_ok").await));
        assert_eq!(self.give_back("too-much", 2_591, "k").await, declined("amount_exceeds_capture"));
        let refunded = self.give_back("r", 2_590, "k").await;
        assert!(has_succeeded(&refunded), "{refunded:?}");
        assert_eq!(self.give_back("r", 2_590, "k").await, refunded);
        assert_eq!(self.find("r").await, refunded.map(Some));
        assert_eq!(self.give_back("again", 1, "k").await, declined("amount_exceeds_capture"));
    }

    async fn what_was_not_captured_is_not_given_back(&self) {
        assert_eq!(self.give_back("r-1", 1, "never-heard").await, declined("capture_not_found"));
        assert_eq!(self.pay("k", "tok_declined").await, declined("card_declined"));
        assert_eq!(self.give_back("r-2", 1, "k").await, declined("capture_not_found"));
    }
}

fn euros(amount_minor: i64) -> Money {
    Money { amount_minor, currency: "EUR".into() }
}

fn paying(token: &str) -> CaptureRequest {
    CaptureRequest { order_id: "o-1".into(), amount: euros(2_590), token: token.into() }
}

fn declined(code: &str) -> Answer {
    Ok(GatewayAnswer::Declined { code: code.into() })
}

fn has_succeeded(answer: &Answer) -> bool {
    matches!(answer, Ok(GatewayAnswer::Succeeded { .. }))
}

fn is_unclear(answer: &Answer) -> bool {
    matches!(answer, Err(GatewayError::Unavailable(_)))
}
