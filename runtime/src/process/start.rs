//! What must be there before the engine starts. What is merely away is waited for, with one line in the log and readiness
//! red; what cannot become right by waiting ends the process.

use super::StartError;
use crate::{
    Health, PostgresKeyring, Shared, StoreError,
    bus::kafka::{
        self,
        topics::{self, TopicError},
    },
};
use std::{sync::Arc, time::Duration};

/// The pause before what is away is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What a process needs beside its own database, which the engine itself waits for.
pub(super) struct Needs {
    pub kafka: kafka::Settings,
    /// The services whose topics it writes or reads.
    pub topics: Vec<&'static str>,
    pub keyring: Option<Arc<PostgresKeyring>>,
}

/// What is away just now.
struct Away(String);

impl Needs {
    /// Returns once all of it is there.
    pub async fn are_there(&self, shared: &Shared) -> Result<(), StartError> {
        while let Err(Away(why)) = self.look().await? {
            if shared.set_health(Health::Away(why.clone())) {
                tracing::warn!(why, "waiting until it is there");
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
        shared.set_health(Health::Starting);
        Ok(())
    }

    async fn look(&self) -> Result<Result<(), Away>, StartError> {
        match &self.keyring {
            Some(keyring) => match keyring.reach().await {
                Ok(()) => self.look_at_topics().await,
                Err(StoreError::Outage(why)) => Ok(Err(Away(format!("the keyring: {why}")))),
                Err(error) => Err(error.into()),
            },
            None => self.look_at_topics().await,
        }
    }

    async fn look_at_topics(&self) -> Result<Result<(), Away>, StartError> {
        let (kafka, topics) = (self.kafka.clone(), self.topics.clone());
        // Some of librdkafka's questions block.
        let looked = tokio::task::spawn_blocking(move || {
            let runtime = kafka.runtime.clone();
            runtime.block_on(topics::assert(&kafka, &topics))
        });
        match looked.await.map_err(StartError::unusable)? {
            Ok(()) => Ok(Ok(())),
            Err(away @ TopicError::Away { .. }) => Ok(Err(Away(away.to_string()))),
            Err(error) => Err(StartError::unusable(error)),
        }
    }
}
