//! The stock that a new shop opens with. Each article is one delivery, booked in once, so that opening again brings
//! nothing twice.

use crate::domain::Replenish;
use runtime::{Handle, Rejected, TraceId};
use serde::Deserialize;
use shared_events::Sku;
use std::time::Duration;

const BUILT_IN: &str = include_str!("opening.json");
/// The delivery note. It holds a space, so that no client's Idempotency-Key is ever the same.
const NOTE: &str = "opening stock";
/// The pause before a service that is away is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What there is to begin with, and so all that the warehouse deals in.
#[derive(Clone, Debug, Deserialize)]
pub struct Opening(Vec<Article>);

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Article {
    sku: Sku,
    quantity: i64,
}

impl Opening {
    /// The one that is compiled in.
    ///
    /// # Errors
    /// When it cannot be read, which a test rules out.
    pub fn built_in() -> Result<Opening, serde_json::Error> {
        serde_json::from_str(BUILT_IN)
    }

    /// Every SKU that there can be stock of.
    pub fn skus(&self) -> impl Iterator<Item = &Sku> {
        self.0.iter().map(|article| &article.sku)
    }

    /// Brings it in, as far as that has not happened yet.
    ///
    /// # Errors
    /// When the service does not take it now; what it has taken by then stays.
    pub async fn bring_in(&self, inventory: &Handle) -> Result<(), Rejected> {
        for Article { sku, quantity } in self.0.iter().filter(|article| article.quantity > 0) {
            let delivery = format!("{NOTE} {sku}");
            let trace = TraceId::of_text(&delivery);
            match inventory.command(Replenish { delivery, sku: sku.clone(), quantity: *quantity }, trace).await {
                // A list that has changed since does not bring the opening stock again.
                Ok(_) | Err(Rejected::Refused(_)) => {}
                Err(rejected) => return Err(rejected),
            }
        }
        Ok(())
    }

    /// Brings it in as soon as this process leads. Another one may lead meanwhile, or take over in the midst of it.
    pub async fn bring_in_once_leading(self, inventory: Handle) {
        while let Ok(()) = inventory.leads().await {
            match self.bring_in(&inventory).await {
                Ok(()) => return,
                Err(Rejected::Failed(why)) => return tracing::error!(why, "the opening stock cannot be booked in"),
                Err(rejected) => tracing::debug!(?rejected, "the opening stock is booked in later"),
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_built_in_one_is_right_and_has_something_scarce() {
        let opening = Opening::built_in().unwrap();
        assert!(opening.0.iter().all(|article| article.quantity >= 0));
        assert_eq!(opening.skus().collect::<BTreeSet<_>>().len(), opening.0.len(), "an article is listed twice");
        assert!(opening.0.iter().any(|article| article.sku == "POT-RARE" && article.quantity == 3));
    }
}
