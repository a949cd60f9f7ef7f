//! The simulated post: takes mail and text messages, keeps one of each Message-ID.

use super::{Books, Mail, NoAnswer, Part, World};
use crate::{counters::Situation, life::Life};
use email::{
    mail::{Message, Post, PostError},
    templates::Channel,
};
use std::sync::Arc;
use tutti::invariants;

/// The post as one process reaches it.
pub struct SimPost {
    world: World,
    life: Arc<Life>,
}

impl SimPost {
    /// The post as this process reaches it.
    #[must_use]
    pub fn new(world: World, life: Arc<Life>) -> SimPost {
        SimPost { world, life }
    }
}

impl Post for SimPost {
    async fn send(&self, message: &Message) -> Result<(), PostError> {
        let message = message.clone();
        let taken = self.world.carry(Part::Post, &self.life, move |world| Ok(world.deliver(&message)));
        match taken.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(PostError::Refused("no such mailbox".into())),
            Err(NoAnswer::NotDone) => Err(PostError::NotSent("421 try again".into())),
            Err(NoAnswer::Unclear) => Err(PostError::Unclear("the connection broke".into())),
        }
    }
}

impl World {
    /// Whether the addressee has it.
    fn deliver(&self, message: &Message) -> bool {
        if message.to.starts_with("dead@") {
            return false;
        }
        let mut books = self.books();
        self.sim.note(|| format!("the post takes {}", message.message_id));
        let sms = message.channel == Channel::Sms;
        let before = books.mailbox.iter_mut().find(|mail| mail.message.message_id == message.message_id);
        if let Some(before) = before {
            before.copies += 1;
            self.sim.saw(Situation::MailTwice);
            return true;
        }
        let id = Books::number(books.mailbox.len());
        let shown = invariants::Message {
            id,
            order_id: message.order_id.clone(),
            sms,
            template: message.template.to_string(),
            message_id: message.message_id.clone(),
        };
        let text = [message.to.clone(), message.subject.clone(), message.body.clone()];
        books.mailbox.push(Mail { message: shown, text, copies: 1 });
        true
    }
}
