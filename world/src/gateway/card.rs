//! The test cards: what a token makes the gateway do.

use crate::faults::GatewayFaults;
use runtime::clock::Micros;

/// A well-known test card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Card {
    /// `tok_ok`: the money is taken at once.
    Good,
    /// `tok_insufficient_funds`: declined with that code.
    InsufficientFunds,
    /// `tok_slow`: the caller waits for `slow_ms`; at the end the money is taken.
    Slow,
    /// `tok_flaky`: the first attempt is answered 503 and nothing is taken; then it is as `tok_ok`.
    Flaky,
    /// `tok_timeout_then_success`: the money is taken and the first answer is lost.
    TimeoutThenSuccess,
    /// `tok_unknown`: for `unknown_ms` nobody is told anything; then it turns out that the money was taken.
    Unknown,
    /// `tok_declined`, and every token that is none of these: declined with `card_declined`.
    Declined,
}

impl Card {
    /// The card behind a token.
    #[must_use]
    pub fn of(token: &str) -> Card {
        match token {
            "tok_ok" => Card::Good,
            "tok_insufficient_funds" => Card::InsufficientFunds,
            "tok_slow" => Card::Slow,
            "tok_flaky" => Card::Flaky,
            "tok_timeout_then_success" => Card::TimeoutThenSuccess,
            "tok_unknown" => Card::Unknown,
            _ => Card::Declined,
        }
    }

    /// The code with which it is declined, if it is.
    pub(super) fn declined(self) -> Option<&'static str> {
        match self {
            Card::Declined => Some("card_declined"),
            Card::InsufficientFunds => Some("insufficient_funds"),
            _ => None,
        }
    }

    /// How long it is in progress.
    pub(super) fn takes(self, faults: GatewayFaults) -> Micros {
        let millis = match self {
            Card::Slow => faults.slow_ms,
            Card::Unknown => faults.unknown_ms,
            _ => 0,
        };
        Micros::try_from(millis).unwrap_or(Micros::MAX).saturating_mul(1_000)
    }
}
