//! Which schema id stands for which version of which event, learned from the registry once and then known. Whoever asks
//! gets an answer at once: what it is, or why it is not known yet. Requests run apart, and ring when they are done.
//!
//! Errors are never kept: an outage is over when it is over.

use super::{
    Settings,
    registry::{Registry, RegistryError},
};
use shared_events::catalog::{self, SchemaFile};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A question without an answer is asked again after this long.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What a schema id is to the reader of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The event's datum in this version.
    Version(u16),
    /// Nothing that this event can be written with, for this reason; and it will not become it.
    Poison(String),
}

/// Why something is not known yet; none while it is asked for the first time.
pub(super) type Unknown = Option<String>;

/// Something that was asked.
struct Question<A> {
    answer: Option<A>,
    under_way: bool,
    /// When it was asked last, and what came of it.
    last: Option<(Instant, String)>,
    /// Since when the registry, knowing others, has not known this.
    unknown_since: Option<Instant>,
}

impl<A> Default for Question<A> {
    fn default() -> Self {
        Question { answer: None, under_way: false, last: None, unknown_since: None }
    }
}

/// Topic, event, version.
type Written = (&'static str, String, u16);
/// Topic, event, schema id.
type Read = (&'static str, String, u32);

#[derive(Default)]
struct Known {
    written: HashMap<Written, Question<u32>>,
    read: HashMap<Read, Question<Meaning>>,
}

/// What the registry has told so far.
pub(super) struct Schemas {
    registry: Registry,
    settings: Settings,
    known: Mutex<Known>,
    news: Box<dyn Fn() + Send + Sync>,
}

impl Schemas {
    /// Asks the registry that the settings name; `news` is called whenever something was learned.
    pub fn new(settings: &Settings, news: impl Fn() + Send + Sync + 'static) -> Result<Arc<Schemas>, RegistryError> {
        let registry = Registry::at(&settings.registry)?;
        Ok(Arc::new(Schemas { registry, settings: settings.clone(), known: Mutex::default(), news: Box::new(news) }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id to write a version of an event under.
    pub fn id_of(self: &Arc<Self>, topic: &'static str, name: &str, version: u16) -> Result<u32, Unknown> {
        let mut known = self.known();
        let written = (topic, name.to_owned(), version);
        let question = known.written.entry(written.clone()).or_default();
        if question.must_be_asked() {
            let schemas = self.clone();
            self.settings.runtime.spawn(async move {
                let answer = schemas.ask_id(&written).await;
                schemas.answered(|known| known.written.get_mut(&written), answer);
            });
        }
        question.state()
    }

    /// What an id found in front of an event means; `told` is the version that the event's headers tell.
    pub fn meaning(self: &Arc<Self>, topic: &'static str, name: &str, id: u32, told: u16) -> Result<Meaning, Unknown> {
        if !self.settings.contract.iter().any(|file| (file.topic, file.name) == (topic, name)) {
            return Ok(Meaning::Version(told)); // nobody here reads it
        }
        let mut known = self.known();
        let read = (topic, name.to_owned(), id);
        let question = known.read.entry(read.clone()).or_default();
        if question.must_be_asked() {
            let schemas = self.clone();
            let unknown_since = question.unknown_since;
            self.settings.runtime.spawn(async move {
                let answer = schemas.ask_meaning(&read, told, unknown_since).await;
                schemas.answered(|known| known.read.get_mut(&read), answer);
            });
        }
        question.state()
    }

    fn answered<A>(
        &self,
        find: impl FnOnce(&mut Known) -> Option<&mut Question<A>>,
        answer: Result<A, (String, Option<Instant>)>,
    ) {
        if let Some(question) = find(&mut self.known()) {
            question.under_way = false;
            match answer {
                Ok(answer) => question.answer = Some(answer),
                Err((why, unknown_since)) => {
                    (question.last, question.unknown_since) = (Some((Instant::now(), why)), unknown_since);
                }
            }
        }
        (self.news)();
    }

    async fn ask_id(&self, (topic, name, version): &Written) -> Result<u32, (String, Option<Instant>)> {
        let not_yet = |why: String| (why, None);
        let file = self.settings.contract.iter().find(|f| (f.topic, f.name, f.version) == (*topic, name, *version));
        let file = file.ok_or_else(|| {
            not_yet(format!("this build has no schema of {name} version {version}; run one that has"))
        })?;
        let subject = subject(&self.settings, file).map_err(not_yet)?;
        match self.registry.id_of(&subject, file.text).await {
            Ok(Some(id)) => Ok(id),
            Ok(None) => Err(not_yet(format!(
                "the schema registry does not have version {version} of {name} under {subject}: run `tutti schemas register`"
            ))),
            Err(error) => Err(not_yet(error.to_string())),
        }
    }

    async fn ask_meaning(
        &self,
        (topic, name, id): &Read,
        told: u16,
        unknown_since: Option<Instant>,
    ) -> Result<Meaning, (String, Option<Instant>)> {
        // An outage says nothing about whether the registry knows the id, so the time before it still counts.
        let away = |error: RegistryError| (error.to_string(), unknown_since);
        let why = match self.registry.schema(*id).await.map_err(away)? {
            Some(text) => match self.identify(topic, name, told, &text) {
                Ok(meaning) => return Ok(meaning),
                Err(other) => format!("schema {id} is {other}, not {name}"),
            },
            None if self.registry.subjects().await.map_err(away)?.is_empty() => {
                return Err(("the schema registry is empty: run `tutti schemas register`".into(), None));
            }
            None => format!("the schema registry does not know the id {id}"),
        };
        let since = unknown_since.unwrap_or_else(Instant::now);
        if since.elapsed() >= self.settings.unknown_id_after {
            Ok(Meaning::Poison(why))
        } else {
            Err((why, Some(since)))
        }
    }

    /// Which version of the event a schema is. An error names the other record that it describes: then the id is a stale
    /// one of a registry that was set up anew, which is no better than an unknown one.
    fn identify(&self, topic: &str, name: &str, told: u16, text: &str) -> Result<Meaning, String> {
        let of_event = |file: &&SchemaFile| (file.topic, file.name) == (topic, name);
        let expected = self.settings.contract.iter().find(of_event).and_then(|file| full_name(file.text));
        let described = full_name(text);
        if described != expected {
            return Err(described.unwrap_or_else(|| "no record".into()));
        }
        match catalog::version_of(self.settings.contract, topic, name, text) {
            Ok(Some(version)) => Ok(Meaning::Version(version)),
            Ok(None) => Ok(match catalog::learn(topic, name, told, text) {
                Ok(()) => Meaning::Version(told),
                Err(why) => Meaning::Poison(why),
            }),
            Err(why) => Ok(Meaning::Poison(why)),
        }
    }
}

impl<A: Clone> Question<A> {
    fn must_be_asked(&mut self) -> bool {
        let now = self.answer.is_none()
            && !self.under_way
            && self.last.as_ref().is_none_or(|(asked, _)| asked.elapsed() >= ASK_AGAIN);
        self.under_way |= now;
        now
    }

    fn state(&self) -> Result<A, Unknown> {
        self.answer.clone().ok_or_else(|| self.last.as_ref().map(|(_, why)| why.clone()))
    }
}

/// Where the registry keeps an event's versions: by topic and record, so that each event evolves by itself.
pub(super) fn subject(settings: &Settings, file: &SchemaFile) -> Result<String, String> {
    let record = full_name(file.text)
        .ok_or_else(|| format!("schemas/{}/{}.v{}.avsc names no record", file.topic, file.name, file.version))?;
    Ok(format!("{}-{record}", settings.topic(file.topic)))
}

/// Namespace and name of the record that a schema describes.
fn full_name(schema: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(schema).ok()?;
    let name = json.get("name")?.as_str()?;
    match json.get("namespace").and_then(|namespace| namespace.as_str()) {
        Some(namespace) if !name.contains('.') => Some(format!("{namespace}.{name}")),
        _ => Some(name.to_owned()),
    }
}
