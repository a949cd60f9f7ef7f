//! `tutti schemas register|check`: a job, run before a build that writes new versions is deployed. Services only read.

use super::{args::SchemasCommand, setting::required};
use crate::{failure::Failure, screen::Screen, table::Table};
use runtime::bus::kafka::{
    RegistryError, Settings,
    registration::{self, Registered, RegistrationError},
};
use serde_json::{Value, json};

/// Registers or checks every version of every event.
pub(super) async fn run(what: SchemasCommand, screen: &Screen) -> Result<(), Failure> {
    let (prefix, dry_run, must_be_there) = match what {
        SchemasCommand::Register { dry_run, prefix } => (prefix, dry_run, false),
        SchemasCommand::Check { prefix } => (prefix, true, true),
    };
    let registry = required("SCHEMA_REGISTRY_URL", "http://schema-registry:8081")?;
    // The brokers are not asked for schemas.
    let settings =
        Settings { prefix: prefix.prefix, ..Settings::new("", &registry, tokio::runtime::Handle::current()) };
    let registered = registration::register(&settings, dry_run).await.map_err(failure)?;
    tell(&registered, dry_run, screen)?;
    let missing = registered.iter().filter(|one| !one.was_there).count();
    if must_be_there && missing > 0 {
        return Err(Failure::NotSo(format!("{missing} schemas are not registered: run `tutti schemas register`")));
    }
    Ok(())
}

fn failure(error: RegistrationError) -> Failure {
    match &error {
        RegistrationError::Registry(RegistryError::Away { .. }) => Failure::Away(error.to_string()),
        RegistrationError::Registry(RegistryError::NoAddress { .. }) => Failure::Usage(error.to_string()),
        _ => Failure::NotSo(error.to_string()),
    }
}

fn tell(registered: &[Registered], dry_run: bool, screen: &Screen) -> Result<(), Failure> {
    if screen.json {
        let schemas: Vec<Value> = registered.iter().map(document).collect();
        return screen.document(&json!({ "schemas": schemas, "dry_run": dry_run }));
    }
    let mut table = Table::new(&["event", "version", "subject", "id", ""]).numbers(&[1, 3]);
    for one in registered {
        let became = match (one.was_there, dry_run) {
            (true, _) => "was there",
            (false, true) => "not there yet, and fits",
            (false, false) => "registered",
        };
        let id = one.id.map(|id| id.to_string()).unwrap_or_default();
        table.row(vec![
            one.name.into(),
            one.version.to_string().into(),
            one.subject.clone().into(),
            id.into(),
            became.into(),
        ]);
    }
    screen.say(table.render(screen))
}

fn document(one: &Registered) -> Value {
    json!({ "event": one.name, "version": one.version, "subject": one.subject, "id": one.id, "was_there": one.was_there })
}
