//! How a caller over HTTP is told what a simulator answers, or is not told.

use crate::NoAnswer;
use runtime::http::Problem;
use std::{future::Future, time::Duration};

/// How long a lost answer keeps its caller waiting: longer than anybody's patience, and not for ever.
const HANG: Duration = Duration::from_secs(10);
/// When to come back after nothing was done.
const COME_BACK: Duration = Duration::from_secs(1);

/// The answer to a call; `None` while it is still in progress. Where the answer is lost, the connection hangs, as it
/// would when it had broken unnoticed.
pub(super) async fn told<T>(call: impl Future<Output = Result<T, NoAnswer>>) -> Result<Option<T>, Problem> {
    match call.await {
        Ok(answer) => Ok(Some(answer)),
        Err(NoAnswer::InProgress) => Ok(None),
        Err(NoAnswer::Refused) => Err(Problem::later("Nothing was done; try again.", COME_BACK)),
        Err(NoAnswer::Lost) => {
            tokio::time::sleep(HANG).await;
            Err(Problem::internal("the answer was lost on purpose, and its caller still waits"))
        }
        Err(NoAnswer::Broken(cause)) => Err(Problem::internal(&cause)),
    }
}
