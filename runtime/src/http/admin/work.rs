//! `POST /work/retry`: stuck work tried once more.

use super::{Done, answered};
use crate::{
    Handle,
    http::{Json as Body, Problem},
    intake::Wish,
};
use axum::{Json, extract::State};
use serde::Deserialize;

/// Which work.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// The effect or timer.
    name: String,
    /// Its key.
    key: String,
}

pub(super) async fn retry(State(handle): State<Handle>, Body(which): Body<Which>) -> Result<Json<Done>, Problem> {
    answered(handle.wish(Wish::RetryWork((which.name, which.key))).await)
}
