//! The line between the shop and a simulator: every call goes over it, and the faults strike here.

use crate::{
    dice::Dice,
    faults::{CarrierFaults, GatewayFaults, PostFaults},
};
use std::{future::Future, time::Duration};

/// Why a caller was not told what became of the call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The simulator refused the call as a whole, like a 503: nothing was done.
    #[error("503 service unavailable")]
    Refused,
    /// The connection broke, or the caller's patience ended: perhaps it was done, perhaps not.
    #[error("the connection broke before the answer came")]
    Lost,
    /// It is still being worked on: ask again later.
    #[error("still in progress")]
    InProgress,
    /// The simulator itself cannot work, for example because its disk is full. Nobody knows what became of the call.
    #[error("{0}")]
    Broken(String),
}

/// The faults that can strike any call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    fail: f64,
    lose_answer: f64,
    delay_ms: u64,
}

impl From<GatewayFaults> for Line {
    fn from(faults: GatewayFaults) -> Line {
        Line { fail: faults.fail, lose_answer: faults.lose_answer, delay_ms: faults.delay_ms }
    }
}

impl From<CarrierFaults> for Line {
    fn from(faults: CarrierFaults) -> Line {
        Line { fail: faults.fail, lose_answer: faults.lose_answer, delay_ms: faults.delay_ms }
    }
}

impl From<PostFaults> for Line {
    fn from(faults: PostFaults) -> Line {
        Line { fail: faults.fail, lose_answer: faults.lose_answer, delay_ms: faults.delay_ms }
    }
}

impl Line {
    /// Brings a call to the simulator and its answer back, unless a fault strikes.
    pub(crate) async fn carry<T>(
        self,
        dice: &Dice,
        call: impl Future<Output = Result<T, NoAnswer>> + Send,
    ) -> Result<T, NoAnswer> {
        if self.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(self.delay_ms)).await;
        }
        if dice.falls(self.fail) {
            return Err(NoAnswer::Refused);
        }
        let answer = call.await?;
        if dice.falls(self.lose_answer) {
            return Err(NoAnswer::Lost);
        }
        Ok(answer)
    }
}
