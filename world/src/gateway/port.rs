//! The payment service's port, answered in the same process.

use super::{Answer, Capture, Gateway, Refund};
use crate::NoAnswer;
use payment::gateway::{CaptureRequest, GatewayAnswer, GatewayError, RefundRequest};

impl payment::gateway::Gateway for Gateway {
    async fn capture(&self, key: &str, request: &CaptureRequest) -> Result<GatewayAnswer, GatewayError> {
        let capture = Capture {
            order_id: request.order_id.clone(),
            amount_minor: request.amount.amount_minor,
            currency: request.amount.currency.clone(),
            token: request.token.clone(),
        };
        Ok(Gateway::capture(self, key, capture).await?.into())
    }

    async fn refund(&self, key: &str, request: &RefundRequest) -> Result<GatewayAnswer, GatewayError> {
        let refund = Refund {
            order_id: request.order_id.clone(),
            amount_minor: request.amount.amount_minor,
            currency: request.amount.currency.clone(),
            capture_key: request.capture_key.clone(),
        };
        Ok(Gateway::refund(self, key, refund).await?.into())
    }

    async fn find(&self, key: &str) -> Result<Option<GatewayAnswer>, GatewayError> {
        Ok(Gateway::find(self, key).await?.map(GatewayAnswer::from))
    }
}

impl From<Answer> for GatewayAnswer {
    fn from(answer: Answer) -> GatewayAnswer {
        match answer {
            Answer::Succeeded { receipt } => GatewayAnswer::Succeeded { receipt },
            Answer::Declined { code } => GatewayAnswer::Declined { code },
        }
    }
}

impl From<NoAnswer> for GatewayError {
    fn from(why: NoAnswer) -> GatewayError {
        GatewayError::Unavailable(why.to_string())
    }
}
