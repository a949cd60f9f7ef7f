//! Events and the topic they are published on: what a service says, and the only way it remembers anything.

use std::fmt::Debug;

/// What an event, a state, an effect or a timer is about: usually an order id, for stock levels a SKU.
pub type Key = String;

/// Everything one service may say, as one enum that [`topic!`](crate::topic) writes beside the event structs.
/// It exists only in memory: on the wire each event has its own schema, never a union whose branch is an index.
pub trait Topic: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// The service's name, which is also the prefix of its topic, its database and its folder.
    const NAME: &'static str;
    /// The names of all events of this topic.
    const EVENTS: &'static [&'static str];
    /// The event's name: struct, schema file, header, span and metric label are called the same.
    fn name(&self) -> &'static str;
    /// The schema version that [`Topic::encode`] writes.
    fn version(&self) -> u16;
    /// The key it is published under; order is promised per key.
    fn key(&self) -> &str;
    /// The datum that goes into the log.
    ///
    /// # Errors
    /// When the value does not fit its schema; the input that led to it is then poison.
    fn encode(&self) -> Result<Vec<u8>, String>;
    /// Reads a datum written under `name` and schema `version`.
    ///
    /// # Errors
    /// Says what is wrong: an unknown name or version, or bytes that are no datum of it.
    fn decode(name: &str, version: u16, datum: &[u8]) -> Result<Self, String>;
}

/// One event of a topic.
pub trait Event: Clone + Debug + Send + Sync + Into<Self::Topic> + 'static {
    /// The topic it belongs to, and so the service that alone may say it.
    type Topic: Topic;
    /// Its name, everywhere.
    const NAME: &'static str;
    /// The current schema version.
    const VERSION: u16;
    /// The key it is published under.
    fn key(&self) -> &str;
    /// The datum under the current schema version.
    ///
    /// # Errors
    /// When the value does not fit its schema.
    fn encode(&self) -> Result<Vec<u8>, String>;
    /// Reads a datum of any version that was ever published.
    ///
    /// # Errors
    /// When the version is unknown or the bytes are no datum of it.
    fn decode(version: u16, datum: &[u8]) -> Result<Self, String>;
}

/// Writes a topic's `Event` enum beside its event structs:
/// `topic!("payment" { PaymentRequested[order_id], PaymentCompleted[order_id] });`
///
/// The structs implement `$crate::Event` except for `Topic` plumbing through a codec of the caller's choice: `codec`
/// names a module with `encode(&event, name, version)` and `decode(name, version, datum)`.
#[macro_export]
macro_rules! topic {
    ($topic:literal via $codec:path { $($event:ident v $version:literal [$key:ident]),+ $(,)? }) => {
        /// Everything this service may say.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "each variant carries the documented struct of the same name")]
        pub enum Event { $($event($event)),+ }

        impl $crate::Topic for Event {
            const NAME: &'static str = $topic;
            const EVENTS: &'static [&'static str] = &[$(stringify!($event)),+];
            fn name(&self) -> &'static str { match self { $(Event::$event(_) => stringify!($event)),+ } }
            fn version(&self) -> u16 { match self { $(Event::$event(_) => $version),+ } }
            fn key(&self) -> &str { match self { $(Event::$event(e) => &e.$key),+ } }
            fn encode(&self) -> Result<Vec<u8>, String> {
                match self { $(Event::$event(e) => $crate::Event::encode(e)),+ }
            }
            fn decode(name: &str, version: u16, datum: &[u8]) -> Result<Self, String> {
                match name {
                    $(stringify!($event) => <$event as $crate::Event>::decode(version, datum).map(Event::$event),)+
                    unknown => Err(format!("`{unknown}` is no event of topic `{}`", $topic)),
                }
            }
        }

        $(impl From<$event> for Event { fn from(event: $event) -> Event { Event::$event(event) } }

        impl $crate::Event for $event {
            type Topic = Event;
            const NAME: &'static str = stringify!($event);
            const VERSION: u16 = $version;
            fn key(&self) -> &str { &self.$key }
            fn encode(&self) -> Result<Vec<u8>, String> { <$codec>::encode(self, $topic, stringify!($event), $version) }
            fn decode(version: u16, datum: &[u8]) -> Result<Self, String> {
                <$codec>::decode($topic, stringify!($event), version, $version, datum)
            }
        })+
    };
}
