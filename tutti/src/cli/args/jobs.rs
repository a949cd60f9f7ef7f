//! An operator's jobs: what a deployed shop needs before it opens, what mends one, and what deletes a shop.

use crate::{shop::SERVICES, time::parse_span};
use clap::{Args, Subcommand};
use std::{path::PathBuf, time::Duration};

const DATABASES_EXAMPLES: &str = "\
Example:
  tutti databases create

Settings, by environment, the same as the services have them:
  ADMIN_DATABASE_URL                         an administrator's database on the server: may create roles and databases
  ORDER_DATABASE_URL … EMAIL_DATABASE_URL    what each service is to use
  KEYRING_DATABASE_URL                       where the customers' keys are to be

Each names its role, password and database: postgres://NAME:PASSWORD@HOST/NAME. May be repeated; a role then has the
password that is set now.";

/// `tutti databases …`.
#[derive(Debug, Subcommand)]
pub enum DatabasesCommand {
    /// Make what is not there yet
    #[command(after_help = DATABASES_EXAMPLES)]
    Create,
}

const TOPICS_EXAMPLES: &str = "\
Examples:
  tutti topics create
  tutti topics create --replication 1 --min-in-sync 1    on a single broker

Setting, by environment: KAFKA_BOOTSTRAP_SERVERS=HOST:PORT,…";

/// `tutti topics …`.
#[derive(Debug, Subcommand)]
pub enum TopicsCommand {
    /// Make the topics that are not there yet, and check all
    #[command(after_help = TOPICS_EXAMPLES)]
    Create {
        /// Copies of each record
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=100))]
        replication: i32,
        /// How many of them must be written before a record counts as published
        #[arg(long, value_name = "COPIES", default_value_t = 2, value_parser = clap::value_parser!(i32).range(1..=100))]
        min_in_sync: i32,
        /// How long records are kept; a service that is away for longer loses some
        #[arg(long, value_name = "SPAN", value_parser = parse_span, default_value = "720h")]
        retention: Duration,
        /// What stands before each topic's name.
        #[command(flatten)]
        prefix: Prefix,
    },
    /// Check that they are there and as the services need them
    #[command(after_help = "Example:\n  tutti topics check")]
    Check {
        /// What stands before each topic's name.
        #[command(flatten)]
        prefix: Prefix,
    },
}

const SCHEMAS_EXAMPLES: &str = "\
Examples:
  tutti schemas register --dry-run
  tutti schemas register

Setting, by environment: SCHEMA_REGISTRY_URL=http://HOST:PORT";

/// `tutti schemas …`.
#[derive(Debug, Subcommand)]
pub enum SchemasCommand {
    /// Register every version of every event, to be compatible with all others for ever
    #[command(after_help = SCHEMAS_EXAMPLES)]
    Register {
        /// Only tell what would be done
        #[arg(long)]
        dry_run: bool,
        /// What stands before each topic's name.
        #[command(flatten)]
        prefix: Prefix,
    },
    /// Check that everything that this build writes or reads is registered
    #[command(after_help = "Example:\n  tutti schemas check")]
    Check {
        /// What stands before each topic's name.
        #[command(flatten)]
        prefix: Prefix,
    },
}

/// For several shops on one cluster.
#[derive(Debug, Args)]
pub struct Prefix {
    /// What stands before the name of each topic, so that several shops can share a cluster
    #[arg(long = "topic-prefix", value_name = "TEXT", default_value = "", hide_default_value = true, value_parser = parse_prefix)]
    pub prefix: String,
}

const REPUBLISH_EXAMPLES: &str = "\
Examples:
  tutti republish --dry-run            what each topic lacks of its service's log
  tutti republish                      publish it again: the same events, with the same bytes and ids
  tutti republish --service payment    one service only

Settings: KAFKA_BOOTSTRAP_SERVERS, SCHEMA_REGISTRY_URL and <SERVICE>_DATABASE_URL of each service (ORDER_DATABASE_URL, …);
with --service also DATABASE_URL. What retention has deleted is not lacking.
A service that runs fills a topic that was created anew by itself; this then only waits for it. It publishes itself for
services that are stopped. Readers pass over what they have seen, so publishing again is always safe.";

/// `tutti republish`.
#[derive(Debug, Args)]
#[command(after_help = REPUBLISH_EXAMPLES)]
pub struct RepublishArgs {
    /// Only this service's topic [default: all of them]
    #[arg(long, value_parser = SERVICES)]
    pub service: Option<String>,
    /// Only tell what is lacking
    #[arg(long)]
    pub dry_run: bool,
}

const RECOVER_EXAMPLES: &str = "\
Examples:
  tutti recover --service payment --dry-run    how far its database is behind its topic
  tutti recover --service payment              take the missing events from the topic

Stop the service first. Settings: PAYMENT_DATABASE_URL or DATABASE_URL, KAFKA_BOOTSTRAP_SERVERS, SCHEMA_REGISTRY_URL, and
for shipping PICK_UP_S.
Events, states, what is read and what was asked of the world are rebuilt; the log goes on in a new generation. What was
asked and has no answer is asked for by its key when the service runs again, and never called first. Broken off, it is
gone on with by running it again.";

/// `tutti recover`.
#[derive(Debug, Args)]
#[command(after_help = RECOVER_EXAMPLES)]
pub struct RecoverArgs {
    /// Which service
    #[arg(long, value_parser = SERVICES)]
    pub service: String,
    /// Only tell how far it is behind
    #[arg(long)]
    pub dry_run: bool,
}

const SKIP_EXAMPLES: &str = "\
Example:
  tutti skip --service payment --source order --seq 1042 --reason \"its log is lost with disk 7 (ada)\"

The last resort, when `tutti republish --service SOURCE` cannot bring the record back. Stop the service first. Only the
record that it waits for can be skipped, and only when later ones are there. It is recorded among what is parked, until
somebody discards it there. Whatever the record would have led to never happens.";

/// `tutti skip`.
#[derive(Debug, Args)]
#[command(after_help = SKIP_EXAMPLES)]
pub struct SkipArgs {
    /// The service that lacks the record
    #[arg(long, value_parser = SERVICES)]
    pub service: String,
    /// The service that said it
    #[arg(long, value_parser = SERVICES)]
    pub source: String,
    /// Its number
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub seq: u64,
    /// Why it is given up, and by whom
    #[arg(long)]
    pub reason: String,
    /// Only tell whether it could be skipped
    #[arg(long)]
    pub dry_run: bool,
}

const RESET_EXAMPLES: &str = "\
Examples:
  tutti reset
  tutti reset --data ./elsewhere --yes
  tutti reset --deployed --dry-run      what would be deleted of a shop of services of their own

With --deployed: the tables behind <SERVICE>_DATABASE_URL of all services, the customers' keys behind KEYRING_DATABASE_URL
if set, and the topics at KAFKA_BOOTSTRAP_SERVERS. Nothing is deleted while any service runs.";

/// `tutti reset`.
#[derive(Debug, Args)]
#[command(after_help = RESET_EXAMPLES)]
pub struct ResetArgs {
    /// Which directory
    #[arg(long, value_name = "DIR", env = "TUTTI_DATA", hide_env_values = true, default_value = "tutti-data")]
    pub data: PathBuf,
    /// Delete a deployed shop instead: databases and topics, as the environment names them
    #[arg(long)]
    pub deployed: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Only tell what would be deleted
    #[arg(long)]
    pub dry_run: bool,
}

/// What the name of a topic may hold. With the longest name of a service behind it, it is short enough for Kafka.
fn parse_prefix(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if text.len() <= 200 && text.bytes().all(allowed) {
        return Ok(text.to_owned());
    }
    Err("a topic's name is made of at most 200 letters, digits, dots, underscores and hyphens".to_owned())
}
