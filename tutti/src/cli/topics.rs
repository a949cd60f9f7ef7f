//! `tutti topics create|check`: a job, because services never make a topic; a typing error must not make one.

use super::{args::TopicsCommand, setting::required};
use crate::{failure::Failure, screen::Screen, shop::SERVICES};
use runtime::bus::kafka::{
    Settings,
    topics::{self, Layout, PARTITIONS, TopicError},
};
use serde_json::json;

/// Makes or checks the topics of all services.
pub(super) async fn run(what: TopicsCommand, screen: &Screen) -> Result<(), Failure> {
    let (prefix, layout) = match what {
        TopicsCommand::Create { replication, min_in_sync, retention, prefix } => {
            (prefix, Some(Layout { partitions: PARTITIONS, replication, min_in_sync, retention }))
        }
        TopicsCommand::Check { prefix } => (prefix, None),
    };
    if let Some(Layout { replication, min_in_sync, .. }) = layout
        && min_in_sync > replication
    {
        let wrong = format!(
            "--min-in-sync {min_in_sync} is more than the {replication} copies that --replication asks for: nothing could ever be published"
        );
        return Err(Failure::Usage(wrong));
    }
    let brokers = required("KAFKA_BOOTSTRAP_SERVERS", "broker-1:9092,broker-2:9092")?;
    // The registry is not asked for topics.
    let settings = Settings { prefix: prefix.prefix, ..Settings::new(&brokers, "", tokio::runtime::Handle::current()) };
    let created = match layout {
        Some(layout) => topics::create(&settings, &SERVICES, &layout).await,
        None => topics::assert(&settings, &SERVICES).await.map(|()| vec![]),
    };
    tell(&settings, &created.map_err(failure)?, screen)
}

fn failure(error: TopicError) -> Failure {
    match error {
        TopicError::Away { .. } => Failure::Away(error.to_string()),
        _ => Failure::NotSo(error.to_string()),
    }
}

fn tell(settings: &Settings, created: &[String], screen: &Screen) -> Result<(), Failure> {
    let topics: Vec<String> = SERVICES.iter().map(|service| settings.topic(service)).collect();
    if screen.json {
        return screen.document(&json!({ "topics": topics, "created": created }));
    }
    for topic in topics {
        screen.say(format!(
            "{topic}  {}",
            if created.contains(&topic) { "created" } else { "was there, as it must be" }
        ))?;
    }
    Ok(())
}
