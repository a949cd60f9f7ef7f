//! Saying the contract to a registry: a job's work, before a build that writes new versions is deployed. Services only
//! read.

use super::{
    Settings,
    registry::{Registry, RegistryError},
    schemas::subject,
};
use shared_events::catalog::{self, SchemaFile};

/// Every version of an event must read every other one, both ways, or services could not be deployed one by one.
const LEVEL: &str = "FULL_TRANSITIVE";

/// What became of one version of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Where the registry keeps it.
    pub subject: String,
    /// The event.
    pub name: &'static str,
    /// Its version.
    pub version: u16,
    /// Its id; none where it was only checked and is not there yet.
    pub id: Option<u32>,
    /// Whether it was there before.
    pub was_there: bool,
}

/// Why the contract is not in the registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// The contract itself, or what the registry has beside it, does not fit together. Nothing of the events named here
    /// was written.
    #[error("not compatible: {}", .0.join("; "))]
    Incompatible(Vec<String>),
    /// The registry did not do it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// Registers every version of every event, each event's in ascending order, under subjects that demand compatibility
/// between all versions. What is there already is left as it is. With `dry_run` nothing is written, as with [`check`].
///
/// # Errors
/// Names what does not fit, or why the registry did not do it.
pub async fn register(settings: &Settings, dry_run: bool) -> Result<Vec<Registered>, RegistrationError> {
    catalog::check_compatibility(settings.contract).map_err(RegistrationError::Incompatible)?;
    let registry = Registry::at(&settings.registry)?;
    let mut done = vec![];
    let mut wrong = vec![];
    for file in settings.contract {
        let subject = subject(settings, file).map_err(|why| RegistrationError::Incompatible(vec![why]))?;
        let there = registry.id_of(&subject, file.text).await?;
        let misfit = match there {
            Some(_) => None,
            None => registry.misfit(&subject, file.text).await?,
        };
        if let Some(why) = misfit {
            wrong.push(format!("version {} of {} under {subject}: {why}", file.version, file.name));
            continue;
        }
        let id = if dry_run { there } else { Some(write(&registry, &subject, file, there).await?) };
        done.push(Registered { subject, name: file.name, version: file.version, id, was_there: there.is_some() });
    }
    if wrong.is_empty() { Ok(done) } else { Err(RegistrationError::Incompatible(wrong)) }
}

/// Tells whether [`register`] would succeed, and writes nothing.
///
/// # Errors
/// Names what does not fit, or why the registry cannot tell.
pub async fn check(settings: &Settings) -> Result<Vec<Registered>, RegistrationError> {
    register(settings, true).await
}

async fn write(
    registry: &Registry,
    subject: &str,
    file: &SchemaFile,
    there: Option<u32>,
) -> Result<u32, RegistrationError> {
    // Some registries know a subject, and let rules be set for it, only once it has a schema.
    let known = registry.require(subject, LEVEL).await?;
    let id = match there {
        Some(id) => Ok(id),
        None => registry.register(subject, file.text).await,
    };
    let id = id.map_err(|error| match error {
        RegistryError::Refused { status: 409, message, .. } => RegistrationError::Incompatible(vec![format!(
            "version {} of {} under {subject}: {message}",
            file.version, file.name
        )]),
        other => other.into(),
    })?;
    if !known {
        registry.require(subject, LEVEL).await?;
    }
    Ok(id)
}
