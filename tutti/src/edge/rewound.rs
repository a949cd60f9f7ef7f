//! A request's body that can be sent once more as long as nothing of it was read, which is so where the connection was
//! refused.

use axum::{
    Error,
    body::{Body, Bytes, HttpBody},
};
use http_body::{Frame, SizeHint};
use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

/// A body that is streamed. Clones are the same body, not copies: whoever reads first gets it.
#[derive(Clone)]
pub(super) struct Rewound(Arc<Mutex<Body>>);

impl Rewound {
    pub(super) fn new(body: Body) -> Rewound {
        Rewound(Arc::new(Mutex::new(body)))
    }

    fn with<R>(&self, look: impl FnOnce(&mut Body) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HttpBody for Rewound {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.with(|body| Pin::new(body).poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.with(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.with(|body| body.size_hint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_not_read_is_sent_whole_the_second_time() {
        let first = Rewound::new(Body::from("an order"));
        let second = first.clone();
        drop(first); // as a client does whose connection was refused
        assert_eq!(second.size_hint().exact(), Some(8));
        assert_eq!(axum::body::to_bytes(Body::new(second), 100).await.unwrap(), "an order");
    }
}
