//! The email service's port, answered in the same process.

use super::{Answer, Channel, Letter, Post};
use crate::NoAnswer;
use email::mail::{Message, PostError};

impl email::mail::Post for Post {
    async fn send(&self, message: &Message) -> Result<(), PostError> {
        let letter = Letter {
            order_id: message.order_id.clone(),
            channel: match message.channel {
                email::templates::Channel::Mail => Channel::Mail,
                email::templates::Channel::Sms => Channel::Sms,
            },
            template: message.template.to_string(),
            to: message.to.clone(),
            subject: message.subject.clone(),
            body: message.body.clone(),
            message_id: message.message_id.clone(),
        };
        match self.take(letter).await? {
            Answer::Taken => Ok(()),
            Answer::Refused(reason) => Err(PostError::Refused(reason)),
        }
    }
}

impl From<NoAnswer> for PostError {
    fn from(why: NoAnswer) -> PostError {
        match why {
            NoAnswer::Refused => PostError::NotSent(why.to_string()),
            NoAnswer::Lost | NoAnswer::InProgress | NoAnswer::Broken(_) => PostError::Unclear(why.to_string()),
        }
    }
}
