//! Extractors that answer whatever does not fit with a [`Problem`] naming the field.

use super::{BODY_LIMIT, Problem};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

/// How long a body of [`BODY_LIMIT`] bytes may take to arrive; a client that trickles holds nothing up for longer.
const BODY_TIME: Duration = Duration::from_secs(10);

/// A JSON body: of a request, where `Option<Json<T>>` is for one that may be empty, or of an answer.
#[derive(Clone, Debug)]
pub struct Json<T>(
    /// What it holds.
    pub T,
);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Json<T>, Problem> {
        let is_json = is_json(request.headers());
        let body = read_body(request, state).await?;
        if is_json { parse(&body).map(Json) } else { Err(not_json()) }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Json<T>>, Problem> {
        let is_json = is_json(request.headers());
        let body = read_body(request, state).await?;
        match is_json {
            _ if body.is_empty() => Ok(None),
            true => parse(&body).map(|value| Some(Json(value))),
            false => Err(not_json()),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn not_json() -> Problem {
    let detail = "Send the body as JSON, with the header Content-Type: application/json.";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", "The body is not JSON", detail).about("Content-Type")
}

async fn read_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    match tokio::time::timeout(BODY_TIME, Bytes::from_request(request, state)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!("The body is longer than {BODY_LIMIT} bytes.");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large", detail))
        }
        Ok(Err(_)) => {
            Err(Problem::new(StatusCode::BAD_REQUEST, "body-incomplete", "The body is incomplete", "It was cut off."))
        }
        Err(_) => {
            let detail = format!("The body did not arrive within {} s.", BODY_TIME.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", "The body is too slow", detail))
        }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| misfit(&error))?;
    json.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> Problem {
    let detail = format!("The body is not well-formed JSON: {error}.");
    Problem::new(StatusCode::BAD_REQUEST, "malformed-json", "The body is not well-formed JSON", detail)
}

fn misfit(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    if !error.inner().is_data() {
        return malformed(error.inner());
    }
    let message = error.inner().to_string();
    match field(&error.path().to_string(), &message) {
        Some(field) => Problem::invalid(field, expectation(&message)),
        None => {
            Problem::new(StatusCode::BAD_REQUEST, "invalid-request", "The request is not valid", expectation(&message))
        }
    }
}

/// Which member it is about. An error about a member that is missing, unknown or there twice arises at the object that
/// should or should not have it, and names it in its text.
fn field(path: &str, message: &str) -> Option<String> {
    let path = if path == "." { "" } else { path };
    let named = ["missing field `", "unknown field `", "duplicate field `"].iter().find_map(|start| {
        let rest = message.strip_prefix(start)?;
        rest.split_once('`').map(|(name, _)| name)
    });
    match named {
        Some(name) if path.is_empty() => Some(name.to_owned()),
        Some(name) if path != name && !path.ends_with(&format!(".{name}")) => Some(format!("{path}.{name}")),
        _ if path.is_empty() => None,
        _ => Some(path.to_owned()),
    }
}

/// What serde says, without the value that was sent, which may be personal, and without Rust's names for types.
fn expectation(message: &str) -> String {
    let wrong_value = message.starts_with("invalid type") || message.starts_with("invalid value");
    let said = match message.rfind(", expected ") {
        Some(at) if wrong_value => format!("must be {}", &message[at + ", expected ".len()..]),
        _ => message.to_owned(),
    };
    // Only the value's kind and place matter: `must be a string at line 1 column 20`.
    let said = said.replace(" i64", " a whole number").replace(" u64", " a whole number of at least 0");
    said.replace(" struct ", " an object, ").replace("a sequence", "an array").replace("a map", "an object")
}

/// The query string.
#[derive(Clone, Debug)]
pub struct Query<T>(
    /// Its parameters.
    pub T,
);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Query<T>, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(pairs).map(Query).map_err(|error| {
            let message = error.inner().to_string();
            let name = field(&error.path().to_string(), &message).unwrap_or_else(|| "query".to_owned());
            Problem::invalid(name, message)
        })
    }
}

/// The parts of the path that are named in its route.
#[derive(Clone, Debug)]
pub struct Path<T>(
    /// The parts.
    pub T,
);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Path<T>, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Path(value)),
            Err(rejection) if rejection.status() == StatusCode::BAD_REQUEST => {
                Err(Problem::invalid("path", rejection.body_text()))
            }
            Err(rejection) => Err(Problem::internal(&rejection.body_text())),
        }
    }
}
