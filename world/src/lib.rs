//! The outside world, simulated: payment gateway, carrier, post. Each keeps its own durable book and misbehaves on
//! request, so that a reader can break the shop and watch it heal.
//!
//! The simulators know nothing of HTTP, SMTP or the services: [`gateway`], [`carrier`] and [`post`] take plain calls,
//! and their `port` files implement the services' ports for a shop that runs in the same process. For one that does not,
//! [`server`] offers the same calls over HTTP.

pub mod api;
mod book;
pub mod carrier;
mod conditions;
mod dice;
mod faults;
pub mod gateway;
mod index;
mod line;
pub mod post;
pub mod server;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod writer;

pub use book::OpenError;
pub use carrier::{Carrier, Report, ReportKind};
pub use faults::{BadFault, CarrierFaults, Faults, GatewayFaults, PostFaults};
pub use gateway::Gateway;
pub use line::NoAnswer;
pub use post::Post;

use conditions::Conditions;
use dice::Dice;
use faults::InForce;
use post::{Message, mailpit::Mailpit, merged};
use runtime::clock::Clock;
use serde::{Deserialize, Serialize};
use std::{fs, future::Future, path::Path, sync::Arc};

/// How the outside world is at its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// What it does wrong until somebody changes it.
    pub faults: Faults,
    /// Where the dice begin: the same seed throws the same sequence.
    pub seed: u64,
}

/// The whole outside world. Clones share it; when the last is dropped, the books are closed.
#[derive(Clone)]
pub struct World {
    /// Takes and gives back money.
    pub gateway: Gateway,
    /// Takes parcels.
    pub carrier: Carrier,
    /// Takes mail and short messages.
    pub post: Post,
    /// Where mails are, if they do not come to `post`.
    mail: Option<Arc<Mailpit>>,
    conditions: Conditions,
}

impl World {
    /// Opens the books in `folder` (`gateway.db`, `carrier.db`, `mailbox.db`) and goes on where they end.
    ///
    /// `receive` gets the carrier's reports, on the async runtime this is called in. A report that it answers with an
    /// error comes again, later and later, until it is accepted; so it may refuse everything until the shop is up.
    ///
    /// # Errors
    /// [`OpenError`] says which file or setting cannot be used.
    pub fn open<F>(
        folder: &Path,
        options: &Options,
        clock: Arc<dyn Clock>,
        receive: impl Fn(Report) -> F + Send + Sync + 'static,
    ) -> Result<World, OpenError>
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        options.faults.check()?;
        fs::create_dir_all(folder).map_err(|cause| OpenError::Directory { path: folder.to_owned(), cause })?;
        let conditions = Conditions {
            faults: Arc::new(InForce::new(options.faults)),
            dice: Arc::new(Dice::new(options.seed)),
            clock,
        };
        let receiver = Arc::new(move |report| Box::pin(receive(report)) as carrier::Receiving);
        Ok(World {
            gateway: Gateway::open(folder, conditions.clone())?,
            carrier: Carrier::open(folder, conditions.clone(), receiver)?,
            post: Post::open(folder, conditions.clone())?,
            mail: None,
            conditions,
        })
    }

    /// The same world, whose mails went over SMTP to a mail catcher.
    #[must_use]
    pub fn with_mails_of(self, catcher: Mailpit) -> World {
        World { mail: Some(Arc::new(catcher)), ..self }
    }

    /// A page of all messages, oldest first, and where the next one begins: all or one order's, after the end of an
    /// earlier page.
    ///
    /// # Errors
    /// [`NoAnswer::Broken`] when the book or the mail catcher cannot be read.
    pub async fn mailbox(
        &self,
        order_id: Option<&str>,
        after: i64,
        limit: usize,
    ) -> Result<(Vec<Message>, Option<i64>), NoAnswer> {
        if let Some(mail) = &self.mail {
            return merged::page(mail, &self.post, order_id, after, limit).await;
        }
        let messages = self.post.messages(order_id, after, limit).await?;
        let next = messages.last().filter(|_| messages.len() == limit).map(|message| message.id);
        Ok((messages, next))
    }

    /// The faults in force.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.conditions.faults.get()
    }

    /// Changes the faults that `patch` names: `{"carrier":{"collects":false}}`. Until the next start.
    ///
    /// # Errors
    /// Names the field that cannot be set; nothing changes then.
    pub fn set(&self, patch: &serde_json::Value) -> Result<Faults, BadFault> {
        let faults = self.conditions.faults.patch(patch)?;
        self.carrier.wake();
        Ok(faults)
    }
}
