//! The rare situations that the simulation claims to cover, each counted: a claim that never came true is no claim.

use std::collections::BTreeMap;

macro_rules! situations {
    ($($name:ident = $says:literal),+ $(,)?) => {
        /// A situation worth covering.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Situation { $(#[doc = $says] $name),+ }

        impl Situation {
            /// All of them.
            pub const ALL: &'static [Situation] = &[$(Situation::$name),+];

            /// What it is.
            #[must_use]
            pub fn says(self) -> &'static str {
                match self { $(Situation::$name => $says),+ }
            }
        }
    };
}

situations! {
    Completed = "an order is completed",
    Undone = "an order is undone",
    CancelBeatsPay = "the cancel reaches payment before the reservation",
    PayBeatsCancel = "the cancel reaches payment after the charge",
    UndoInFlight = "the cancel reaches payment while the charge is under way",
    ChargedAfterCancel = "a charge under way at the cancel turns out taken",
    UndoBeforeStep = "the cancel reaches shipping before the payment",
    UndoWhileBooking = "the cancel reaches shipping while the label is being booked",
    CalledBack = "a confirmed order is cancelled before its parcel is out",
    TooLate = "a confirmed order is cancelled too late",
    NotCollected = "a released parcel is not collected in time",
    CancelRaceLost = "the label cannot be voided, the parcel is out",
    DeadlineCancels = "the deadline cancels an order",
    DeadlineMoot = "the deadline comes after the decision",
    StockShort = "an order finds the stock short",
    Declined = "a charge is declined",
    NoCarrier = "no carrier takes the parcel",
    Forgotten = "a customer was forgotten before the charge, the label or the mail",
    Stale = "an effect comes too late to be of use",
    Duplicate = "a record is delivered again",
    Replayed = "a topic is read again from its beginning",
    Gap = "a record is lost on its topic",
    Republished = "a lost record is published again",
    Foreign = "somebody else's record lies on a topic",
    Discarded = "a parked record is discarded",
    Parked = "a record is parked",
    ParkedBehind = "a record is parked behind another one",
    ParkedRetried = "a parked record is retried and taken",
    Paused = "a source is paused because it says nothing but poison",
    Stuck = "an answer is set aside",
    StuckRetried = "a stuck effect is tried again",
    PoisonCommand = "a command that cannot happen is answered 500 and leaves nothing",
    CrashInBegin = "a process crashes while its reign begins",
    CrashBeforeCommit = "a process crashes before a commit",
    CrashAfterCommit = "a process crashes after a commit, before anybody hears of it",
    CrashInFetch = "a process crashes while it reads the bus",
    CrashAtEffect = "a process crashes when an effect was done, before it hears of it",
    PowerCut = "all processes end at once",
    LostBefore = "the outcome of a commit is unknown, and it did not happen",
    LostAfter = "the outcome of a commit is unknown, and it happened",
    Refused = "the store refuses the content",
    StoreAway = "a store is away",
    BusAway = "the bus is away",
    TakeoverMidBatch = "the lead is taken over in the middle of a batch",
    Fenced = "a process finds that it no longer leads",
    BehindTopic = "a store behind its own topic is refused",
    StoreLost = "a store is lost, or an older copy of it is restored",
    Recovered = "a service is rebuilt from its topic",
    RecoveryBrokenOff = "a recovery is broken off, and run again",
    NewGeneration = "a reader goes on in a new generation of a log",
    StandsBy = "a process stands by while another one leads",
    Forwarded = "a process that stands by passes a command on to the one that leads",
    StandbyLeads = "a process that stood by takes the lead",
    NewerBuild = "a newer build takes the lead",
    OlderBuild = "an older build is refused the lead",
    DownLong = "a service is down for hours or days",
    ClockJump = "a clock jumps",
    RelayAgain = "the relay sends a run again",
    WorldAway = "the outside world is away",
    RequestLost = "a call to the outside world is lost on its way",
    AnswerLost = "an effect is done, and its answer is lost",
    EffectLate = "an effect happens after its caller gave up",
    AskedFirst = "what became of an earlier call is asked, and known",
    KeyForgotten = "the gateway is asked about a call whose idempotency key it has forgotten",
    Replayed500 = "the gateway replays an error",
    RefundRefused = "a refund is refused at first",
    MailTwice = "a mail is sent twice under one Message-ID",
    ReportAgain = "the carrier repeats a report",
    ReportFirstDelivered = "the first sign of a parcel is that it arrived",
    SameRequest = "the same request again has the same answer",
    ChangedRequest = "another request under the same key is refused",
    CancelRepeated = "a cancel is repeated",
    CommandAgain = "a command whose answer was lost is sent again",
    OldSchema = "an event of an older schema is read",
    KeyringAway = "the keyring is away when it is needed",
    ReplayChangesNothing = "every topic is read again at the end and nothing changes",
}

/// How often each came true.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(BTreeMap<Situation, u64>);

impl Counters {
    /// It came true.
    pub fn saw(&mut self, situation: Situation) {
        *self.0.entry(situation).or_default() += 1;
    }

    /// Adds those of another history.
    pub fn add(&mut self, other: &Counters) {
        for (situation, count) in &other.0 {
            *self.0.entry(*situation).or_default() += count;
        }
    }

    /// What never came true.
    #[must_use]
    pub fn never(&self) -> Vec<Situation> {
        Situation::ALL.iter().copied().filter(|situation| self.of(*situation) == 0).collect()
    }

    /// How often it came true.
    #[must_use]
    pub fn of(&self, situation: Situation) -> u64 {
        self.0.get(&situation).copied().unwrap_or(0)
    }
}
