//! What the outside world does wrong: settable at the start and while it runs, so that a reader can break the shop and
//! watch it heal.

mod patch;

use serde::{Deserialize, Serialize};
use std::sync::{PoisonError, RwLock};
use utoipa::ToSchema;

pub use patch::BadFault;

/// The longest time that may be set anywhere: one hour, in milliseconds.
const LONGEST_MS: u64 = 3_600_000;

/// All faults of the outside world. Shares go from 0 (never) to 1 (always); times are in milliseconds, at most an hour.
/// Whatever is left out has its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Faults of the payment gateway.
    pub gateway: GatewayFaults,
    /// Faults of the carrier.
    pub carrier: CarrierFaults,
    /// Faults of the post: mail and SMS.
    pub post: PostFaults,
}

/// Faults of the payment gateway.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayFaults {
    /// Share of captures declined whatever the card (default 0).
    pub decline: f64,
    /// Share of calls answered 503 before anything is done (default 0).
    pub fail: f64,
    /// Share of calls that are carried out and whose answer is then lost (default 0).
    pub lose_answer: f64,
    /// How long every call takes on its way, in milliseconds (default 0).
    pub delay_ms: u64,
    /// How long a capture with `tok_slow` takes, in milliseconds (default 2000).
    pub slow_ms: u64,
    /// For how long nobody is told about a capture with `tok_unknown`, in milliseconds (default 3000).
    pub unknown_ms: u64,
}

/// Faults of the carrier.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CarrierFaults {
    /// Share of calls answered 503 before anything is done (default 0).
    pub fail: f64,
    /// Share of calls that are carried out and whose answer is then lost (default 0).
    pub lose_answer: f64,
    /// How long every call takes on its way, in milliseconds (default 0).
    pub delay_ms: u64,
    /// From the hand-over to the collection of a parcel, in milliseconds (default 250).
    pub pick_up_ms: u64,
    /// From the collection to the delivery of a parcel, in milliseconds (default 1000).
    pub transit_ms: u64,
    /// Whether the carrier comes at all; while it does not, parcels wait (default true).
    pub collects: bool,
    /// Share of reports that are sent once more after they were accepted (default 0).
    pub repeat_reports: f64,
    /// Whether the reports of a parcel are sent in any order (default false).
    pub shuffle_reports: bool,
}

/// Faults of the post.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PostFaults {
    /// Share of messages not taken (default 0).
    pub fail: f64,
    /// Share of messages taken whose answer is then lost (default 0).
    pub lose_answer: f64,
    /// How long every call takes on its way, in milliseconds (default 0).
    pub delay_ms: u64,
}

impl Default for GatewayFaults {
    fn default() -> GatewayFaults {
        GatewayFaults { decline: 0.0, fail: 0.0, lose_answer: 0.0, delay_ms: 0, slow_ms: 2_000, unknown_ms: 3_000 }
    }
}

impl Default for CarrierFaults {
    fn default() -> CarrierFaults {
        CarrierFaults {
            fail: 0.0,
            lose_answer: 0.0,
            delay_ms: 0,
            pick_up_ms: 250,
            transit_ms: 1_000,
            collects: true,
            repeat_reports: 0.0,
            shuffle_reports: false,
        }
    }
}

impl Faults {
    /// Whether every value is within its range.
    ///
    /// # Errors
    /// Names the first field that is not, its value and the range.
    pub fn check(&self) -> Result<(), BadFault> {
        let (gateway, carrier, post) = (&self.gateway, &self.carrier, &self.post);
        share("gateway.decline", gateway.decline)?;
        share("gateway.fail", gateway.fail)?;
        share("gateway.lose_answer", gateway.lose_answer)?;
        time("gateway.delay_ms", gateway.delay_ms)?;
        time("gateway.slow_ms", gateway.slow_ms)?;
        time("gateway.unknown_ms", gateway.unknown_ms)?;
        share("carrier.fail", carrier.fail)?;
        share("carrier.lose_answer", carrier.lose_answer)?;
        time("carrier.delay_ms", carrier.delay_ms)?;
        time("carrier.pick_up_ms", carrier.pick_up_ms)?;
        time("carrier.transit_ms", carrier.transit_ms)?;
        share("carrier.repeat_reports", carrier.repeat_reports)?;
        share("post.fail", post.fail)?;
        share("post.lose_answer", post.lose_answer)?;
        time("post.delay_ms", post.delay_ms)
    }
}

fn share(field: &'static str, value: f64) -> Result<(), BadFault> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(BadFault::new(field, format!("{value} is no share: use a number from 0 (never) to 1 (always)")))
}

fn time(field: &'static str, value: u64) -> Result<(), BadFault> {
    if value <= LONGEST_MS {
        return Ok(());
    }
    Err(BadFault::new(field, format!("{value} ms is too long: use at most {LONGEST_MS} (one hour)")))
}

/// The faults in force, shared by the simulators and whoever sets them. Nothing of it is durable: at the next start the
/// options count again.
#[derive(Debug)]
pub(crate) struct InForce(RwLock<Faults>);

impl InForce {
    pub(crate) fn new(faults: Faults) -> InForce {
        InForce(RwLock::new(faults))
    }

    pub(crate) fn get(&self) -> Faults {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Merges a patch in one step, so that two at once lose nothing of each other.
    pub(crate) fn patch(&self, patch: &serde_json::Value) -> Result<Faults, BadFault> {
        let mut faults = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *faults = faults.patched(patch)?;
        Ok(*faults)
    }
}
