//! What can go wrong, by name. A seed draws which of it may happen at all (a swarm), and how often.

use std::{collections::BTreeSet, fmt, str::FromStr};

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $spelt:literal),+ $(,)?) => {
        /// One kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[$doc])* $name),+ }

        impl Fault {
            /// All kinds.
            pub const ALL: &'static [Fault] = &[$(Fault::$name),+];

            /// Its name on the command line.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Fault::$name => $spelt),+ }
            }
        }
    };
}

faults! {
    /// A process ends at any call of a port: before or after a commit, between commit and publishing, between an effect and its answer.
    Crash = "crash",
    /// All processes end at once.
    PowerCut = "power-cut",
    /// A commit fails, nobody knows whether it happened, and it did not.
    LostBefore = "commit-lost-before",
    /// A commit fails, nobody knows whether it happened, and it did.
    LostAfter = "commit-lost-after",
    /// A store cannot be reached, or its disk is full, for a while.
    StoreAway = "store-away",
    /// A store refuses the content of what is said about one order, for a while.
    StoreRefuses = "store-refuses",
    /// Another process takes the lead while a batch is under way; the old one goes on.
    TakeoverMidBatch = "takeover-mid-batch",
    /// A second process takes over; the first one does not know.
    Zombie = "zombie",
    /// A process begins with an older copy of its store.
    OldBackup = "old-backup",
    /// A service's store is lost for good, or an older copy is restored; later it is rebuilt from its topic.
    StoreLost = "store-lost",
    /// A second process of a service stands by, and takes the lead when the first one ends.
    Standby = "standby",
    /// A newer build of a service takes over, and an older one still starts after it.
    Upgrade = "upgrade",
    /// The bus cannot be reached by one reader for a while.
    BusAway = "bus-away",
    /// Records of different topics overtake each other.
    Delays = "delays",
    /// Records come on the topic again.
    Repeats = "repeats",
    /// A reader is given records again, from an older place or from the beginning.
    Redelivery = "redelivery",
    /// A record is lost on the topic, and published again later.
    Gap = "gap",
    /// Somebody else writes to a topic.
    Foreign = "foreign",
    /// A reader cannot decode some records, for a while.
    Undecodable = "undecodable",
    /// A service is down for days, beginning at any time or in the midst of a call.
    Down = "down",
    /// A service's clock jumps.
    ClockJump = "clock-jump",
    /// Gateway, carrier or post cannot be reached for a while.
    WorldAway = "world-away",
    /// A call is lost before it arrives, or the answer on its way back.
    WorldLost = "world-lost",
    /// Calls arrive late, also after the caller's patience has ended.
    WorldSlow = "world-slow",
    /// The gateway forgets idempotency keys.
    KeysForgotten = "keys-forgotten",
    /// The gateway answers a key with 500 for a while, again and again.
    KeyReplays500 = "key-replays-500",
    /// The gateway does not give money back, for a while.
    RefundRefused = "refund-refused",
    /// The carrier reports out of order, and repeats itself.
    Reports = "reports",
    /// The carrier reports on orders that cannot be on their way.
    StrayReports = "stray-reports",
    /// Customers repeat requests and change them under the same key.
    Repeated = "repeated-requests",
    /// The keyring cannot be reached for a while.
    KeyringAway = "keyring-away",
    /// Customers are forgotten while their orders are under way.
    Forgotten = "forgotten",
    /// Placed orders reach their readers in the schema's first version.
    OldSchema = "old-schema",
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Fault {
    type Err = String;
    fn from_str(text: &str) -> Result<Fault, String> {
        let found = Fault::ALL.iter().find(|fault| fault.as_str() == text);
        let names = || Fault::ALL.iter().map(|fault| fault.as_str()).collect::<Vec<_>>().join(", ");
        found.copied().ok_or_else(|| format!("`{text}` is no fault; known are {}", names()))
    }
}

/// The kinds that may happen in one history.
pub type Faults = BTreeSet<Fault>;
