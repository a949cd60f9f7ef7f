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

/// A JSON body as it came, for whoever must look at its bytes (a signature) before what they say.
#[derive(Clone, Debug)]
pub struct JsonBytes(Bytes);

impl JsonBytes {
    /// The bytes, as they came.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What they say.
    ///
    /// # Errors
    /// Names what does not fit.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        parse(&self.0)
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<JsonBytes, Problem> {
        let is_json = is_json(request.headers());
        let body = read_body(request, state).await?;
        if is_json { Ok(JsonBytes(body)) } else { Err(not_json()) }
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
    // serde would also take an array, as the members' values in the order of the struct.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(unfit("must be an object, not an array"));
    }
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
        None => unfit(&expectation(&message)),
    }
}

fn unfit(expected: &str) -> Problem {
    let detail = format!("The body {expected}.");
    Problem::new(StatusCode::BAD_REQUEST, "invalid-request", "The request is not valid", detail)
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, routing::post};
    use serde::Deserialize;
    use tower::ServiceExt;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        #[serde(rename = "name")]
        _name: String,
        #[serde(rename = "lines")]
        _lines: Vec<Line>,
        #[serde(rename = "home")]
        _home: Option<Line>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        #[serde(rename = "quantity")]
        _quantity: i64,
    }

    fn refusal(body: &str) -> (Option<String>, String) {
        match parse::<Asked>(body.as_bytes()) {
            Ok(_) => panic!("{body} was taken"),
            Err(problem) => (problem.field().map(str::to_owned), problem.detail().to_owned()),
        }
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_place() {
        let cases = [
            (r#"{"name":"x","lines":[{"quantity":"2"}]}"#, "lines[0].quantity", "must be a whole number"),
            (
                r#"{"name":"x","lines":[{"quantity":1},{"quantity":2.5}]}"#,
                "lines[1].quantity",
                "must be a whole number",
            ),
            (
                r#"{"name":"x","lines":[{"quantity":99999999999999999999}]}"#,
                "lines[0].quantity",
                "must be a whole number",
            ),
            (r#"{"name":"x","lines":[{"quantity":null}]}"#, "lines[0].quantity", "must be a whole number"),
            (r#"{"name":"x","lines":[{}]}"#, "lines[0].quantity", "missing"),
            (r#"{"name":"x","lines":[{"quantity":1,"price":1}]}"#, "lines[0].price", "unknown"),
            (r#"{"name":"x","lines":[{"quantity":1,"quantity":1}]}"#, "lines[0].quantity", "duplicate"),
            (r#"{"name":"x","lines":{}}"#, "lines", "must be an array"),
            (r#"{"name":"x","lines":[7]}"#, "lines[0]", "must be an object"),
            (r#"{"name":"x","lines":[],"home":{"street":1}}"#, "home.street", "unknown"),
            (r#"{"name":"x","lines":[],"home":{}}"#, "home.quantity", "missing"),
            (r#"{"name":{},"lines":[]}"#, "name", "must be a string"),
            (r#"{"lines":[]}"#, "name", "missing"),
            (r#"{"name":"x","lines":[],"total":1}"#, "total", "unknown"),
            (r#"{"name":"x","name":"y","lines":[]}"#, "name", "duplicate"),
        ];
        for (body, field, detail) in cases {
            let (got, said) = refusal(body);
            assert_eq!(got.as_deref(), Some(field), "{body}: {said}");
            assert!(said.contains(detail), "{body}: {said}");
        }
    }

    #[test]
    fn what_was_sent_is_not_repeated() {
        let (_, said) = refusal(r#"{"name":"x","lines":"somebody@example.com, expected trouble"}"#);
        assert!(
            said.starts_with("must be an array") && !said.contains("example.com") && !said.contains("trouble"),
            "{said}"
        );
    }

    #[test]
    fn what_is_no_json_says_where() {
        for body in ["", "{", r#"{"name":"x","lines":[]} x"#, "nonsense", "{\"name\":\"\u{1}\"}"] {
            let (field, said) = refusal(body);
            assert!(field.is_none() && said.contains("line "), "{body}: {said}");
        }
        for body in ["7", r#" ["x", []]"#] {
            let (field, said) = refusal(body);
            assert!(field.is_none() && said.starts_with("The body must be an object"), "{body}: {said}");
        }
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Page {
        limit: Option<u32>,
    }

    fn app() -> Router {
        let routes = Router::new().route(
            "/orders/{number}",
            post(|Path(_): Path<u64>, Query(page): Query<Page>, body: Option<Json<Line>>| async move {
                format!("{} {:?}", body.is_some(), page.limit)
            }),
        );
        super::super::finish(routes)
    }

    async fn answer(request: axum::http::request::Builder, body: impl Into<Body>) -> (StatusCode, HeaderMap, String) {
        let response = app().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    fn json(uri: &str) -> axum::http::request::Builder {
        Request::post(uri).header("content-type", "application/json; charset=utf-8")
    }

    async fn problem_of(request: axum::http::request::Builder, body: impl Into<Body>) -> (u16, serde_json::Value) {
        let (status, headers, body) = answer(request, body).await;
        assert_eq!(headers["content-type"], "application/problem+json");
        let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(problem["status"], status.as_u16());
        assert!(problem["type"].as_str().unwrap().starts_with("/problems/") && problem["title"].is_string());
        (status.as_u16(), problem)
    }

    #[tokio::test]
    async fn a_body_may_be_empty_where_it_is_optional() {
        assert_eq!(answer(Request::post("/orders/1?limit=7"), "").await.2, "false Some(7)");
        assert_eq!(answer(json("/orders/1"), r#"{"quantity":1}"#).await.2, "true None");
    }

    #[tokio::test]
    async fn parameters_are_named() {
        for (uri, field) in
            [("limit=x", "limit"), ("limit=-1", "limit"), ("size=1", "size"), ("limit=1&limit=2", "limit")]
        {
            let (status, problem) = problem_of(json(&format!("/orders/1?{uri}")), "").await;
            assert_eq!((status, problem["field"].as_str()), (400, Some(field)), "{uri}: {problem}");
        }
        let (status, problem) = problem_of(json("/orders/one"), "").await;
        assert_eq!((status, &problem["field"]), (400, &"path".into()), "{problem}");
    }

    #[tokio::test]
    async fn another_kind_of_body_is_refused() {
        let (status, problem) = problem_of(Request::post("/orders/1"), r#"{"quantity":1}"#).await;
        assert_eq!((status, &problem["field"]), (415, &"Content-Type".into()));
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_the_limit() {
        let json_and = |spaces| r#"{"quantity":1}"#.to_owned() + &" ".repeat(spaces);
        let longest = json_and(BODY_LIMIT - json_and(0).len());
        assert_eq!(answer(json("/orders/1"), longest.clone()).await.0, StatusCode::OK);
        assert_eq!(problem_of(json("/orders/1"), longest + " ").await.0, 413);
    }

    #[tokio::test]
    async fn what_no_route_takes_is_a_problem() {
        assert_eq!(problem_of(Request::get("/nowhere"), "").await.0, 404);
        let (status, headers, _) = answer(Request::delete("/orders/1"), "").await;
        assert_eq!((status.as_u16(), &headers["allow"]), (405, &"POST".parse().unwrap()));
        assert_eq!(problem_of(Request::delete("/orders/1"), "").await.0, 405);
    }
}
