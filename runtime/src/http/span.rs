//! The span of a request that asks for something to be done, from its first byte to its answer. A request that only looks
//! has none.

use crate::{
    handle::Handle,
    telemetry::Spans,
    trace::{TraceId, Traceparent},
};
use axum::{
    extract::{FromRequestParts, MatchedPath, Request},
    http::{HeaderMap, Method, request::Parts},
    middleware::Next,
    response::Response,
};
use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

/// What a handler has told about its request's span.
pub(crate) struct Told {
    pub spans: Spans,
    pub span: Traceparent,
    /// None for the root of a trace.
    pub parent: Option<Traceparent>,
    pub link: Option<Traceparent>,
}

/// A request's span. The handler says where in which trace it belongs.
#[derive(Clone, Default)]
pub struct RequestSpan(Arc<Mutex<Option<Told>>>);

impl RequestSpan {
    /// The request begins this trace; what it asks for is done below the span that is returned.
    #[must_use]
    pub fn begins(&self, handle: &Handle, trace: TraceId) -> Traceparent {
        let span = handle.spans().begun(trace.into());
        self.tell(Some(Told { spans: handle.spans().clone(), span, parent: None, link: None }));
        span
    }

    /// The request is about something whose trace was begun by another one; what it asks for is done below the span that
    /// is returned.
    #[must_use]
    pub fn joins(&self, handle: &Handle, trace: TraceId) -> Traceparent {
        let parent = handle.spans().begun(trace.into());
        let span = handle.spans().drawn_below(&parent);
        self.tell(Some(Told { spans: handle.spans().clone(), span, parent: Some(parent), link: None }));
        span
    }

    /// It turned out that the request did what one before it had done, which began `trace`. In the same trace its span is
    /// below that one's; in a trace of its own it refers to it.
    pub fn repeats(&self, trace: TraceId) {
        let first = Traceparent::from(trace);
        let Some(told) = self.take() else { return };
        let told = match told.span.trace_id == trace {
            true => Told { span: told.spans.drawn_below(&told.span), parent: Some(told.span), ..told },
            false => Told { link: Some(first), ..told },
        };
        self.tell(Some(told));
    }

    fn tell(&self, told: Option<Told>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }

    fn take(&self) -> Option<Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestSpan {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<RequestSpan, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// A request under way. Its span ends with it, also when the client has gone and nobody waits for the answer.
pub(crate) struct UnderWay {
    span: RequestSpan,
    pub method: Method,
    pub route: Option<MatchedPath>,
    pub path: String,
    pub begun: SystemTime,
    /// The client's own span.
    pub client: Option<Traceparent>,
    pub status: Option<u16>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(told) = self.span.take() {
            told.spans.clone().requested(self, &told);
        }
    }
}

/// Goes around every request.
pub(super) async fn around(mut request: Request, next: Next) -> Response {
    let span = RequestSpan::default();
    request.extensions_mut().insert(span.clone());
    let mut under_way = UnderWay {
        span,
        method: request.method().clone(),
        route: request.extensions().get().cloned(),
        path: request.uri().path().to_owned(),
        begun: SystemTime::now(),
        client: client_span(request.headers()),
        status: None,
    };
    let response = next.run(request).await;
    under_way.status = Some(response.status().as_u16());
    response
}

fn client_span(headers: &HeaderMap) -> Option<Traceparent> {
    headers.get("traceparent")?.to_str().ok()?.parse().ok()
}
