//! The arguments, and the help that teaches them.

use crate::{client::Milestone, shop::SERVICES, time::parse_span};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

const ABOUT: &str = "A shop whose services react to each other's events, and nobody is in charge";

const EXAMPLES: &str = "\
Try it:
  tutti demo                                   every ending and every race, played and verified
  tutti up                                     the shop itself; then, in a second terminal:
  tutti order place TEA-001:2 --wait settled   an order, and how it ends
  tutti order show ORDER_ID                    what every service said about it, and why
  tutti world set carrier.collects=false       break something, and watch it heal

Exit codes:
  0    done, and it is as it should be
  1    the shop refused, or what was asked about is not so (a violated invariant, another ending, a wait that ran out)
  2    the arguments make no sense
  3    the shop, or a server that it needs, cannot be reached
  4    a directory, a file or an address on this machine cannot be used
  130  interrupted";

/// Everything the command line takes.
#[derive(Debug, Parser)]
#[command(name = "tutti", version, about = ABOUT, after_help = EXAMPLES, max_term_width = 110)]
#[command(disable_help_subcommand = true, infer_subcommands = true, arg_required_else_help = true)]
pub struct Cli {
    /// Print JSON for machines, and nothing else
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
    /// Where the shop is; commands that use no running shop do not need it
    #[arg(
        long,
        global = true,
        help_heading = "Everywhere",
        env = "TUTTI_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8080"
    )]
    pub url: String,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the shop: every service in this process, until Ctrl-C
    Up(UpArgs),
    /// Play every ending and every race, then a thousand orders with a real kill, and verify it all
    Demo(DemoArgs),
    /// Be the one address of a shop whose services run as processes of their own
    Edge(EdgeArgs),
    /// Place, show, list, watch or cancel orders
    #[command(subcommand)]
    Order(OrderCommand),
    /// See what is in the warehouse, or fill it up
    #[command(subcommand)]
    Stock(StockCommand),
    /// See or change how payment gateway, carrier and mail behave
    #[command(subcommand)]
    World(WorldCommand),
    /// Show who reacts to what, says what and asks what
    #[command(after_help = "Examples:\n  tutti map\n  tutti map --format mermaid > choreography.mmd")]
    Map {
        /// How to show it
        #[arg(long, value_enum, default_value_t)]
        format: MapFormat,
    },
    /// Check the invariants: on a data directory, or on a running shop
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),
    /// Make the databases and roles of a shop whose services run as processes of their own
    #[command(subcommand)]
    Databases(DatabasesCommand),
    /// Make or check its topics
    #[command(subcommand)]
    Topics(TopicsCommand),
    /// Register or check the schemas of its events
    #[command(subcommand)]
    Schemas(SchemasCommand),
    /// Fill a broker that lost events again from the services' logs
    #[command(after_help = REPUBLISH_EXAMPLES)]
    Republish(RepublishArgs),
    /// Rebuild a service whose database was lost, or is an older backup, from its topic
    #[command(after_help = RECOVER_EXAMPLES)]
    Recover(RecoverArgs),
    /// Give up a record that is lost for good, so that a service goes on behind it
    #[command(after_help = SKIP_EXAMPLES)]
    Skip(SkipArgs),
    /// Delete the whole shop, with every order in it: its data directory, or its databases and topics
    #[command(after_help = RESET_EXAMPLES)]
    Reset(ResetArgs),
    /// Print the completion script for a shell
    #[command(after_help = "Example:\n  tutti completions bash > ~/.local/share/bash-completion/completions/tutti")]
    Completions {
        /// For which shell
        shell: Shell,
    },
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  tutti verify                        the running shop at --url
  tutti verify --data ./tutti-data    a data directory, of a running shop or of a stopped one
  tutti verify --deployed             the databases that ORDER_DATABASE_URL, INVENTORY_DATABASE_URL and so on
                                      name, and the world at WORLD_URL

Exits with 1 if an invariant is violated.";

const UP_EXAMPLES: &str = "\
Examples:
  tutti up
  tutti up --data /var/lib/tutti --listen 0.0.0.0:8080
  tutti up --order-deadline 30s --pick-up 10s
  tutti up --world gateway.decline=0.1 --world carrier.transit_ms=5000

Kill it whenever you like and start it again on the same directory: orders in flight go on.";

/// `tutti up`.
#[derive(Debug, Args)]
#[command(after_help = UP_EXAMPLES)]
pub struct UpArgs {
    /// Where the shop keeps everything; made if it is not there
    #[arg(long, value_name = "DIR", env = "TUTTI_DATA", hide_env_values = true, default_value = "tutti-data")]
    pub data: PathBuf,
    /// Where the API listens; port 0 takes any free one
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_listen, env = "TUTTI_LISTEN", hide_env_values = true, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// How long an order may take to be confirmed before it is cancelled
    #[arg(long, value_name = "SPAN", value_parser = parse_span, default_value = "15m")]
    pub order_deadline: Duration,
    /// How long the carrier may take to collect a parcel before the shipment is cancelled
    #[arg(long, value_name = "SPAN", value_parser = parse_span, default_value = "24h")]
    pub pick_up: Duration,
    /// How gateway, carrier and mail behave from the start; see `tutti world show` for the keys
    #[arg(long = "world", value_name = "KEY=VALUE")]
    pub world: Vec<String>,
    /// Close the shop when stdin ends, so that it never outlives the program that started it
    #[arg(long, hide = true)]
    pub until_stdin_ends: bool,
}

/// `tutti demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tutti demo\n  tutti demo --orders 5000\n  tutti demo --keep     and look into its data directory afterwards\n  tutti demo --against http://127.0.0.1:8080     in a shop that is running already, in one process or in several\n  tutti demo --against http://127.0.0.1:8080 --kill-with \"docker compose restart payment\""
)]
pub struct DemoArgs {
    /// How many orders the burst places
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub orders: u32,
    /// Leave the data directory in place
    #[arg(long)]
    pub keep: bool,
    /// Play in this running shop; the stock it needs is brought in, and how its world behaves is put back afterwards
    #[arg(long, value_name = "URL", conflicts_with = "keep")]
    pub against: Option<String>,
    /// What to run in the middle of the burst, to kill something and start it again; there, nothing is killed without it
    #[arg(long, value_name = "COMMAND", requires = "against")]
    pub kill_with: Option<String>,
}

const EDGE_EXAMPLES: &str = "\
Examples:
  tutti edge --listen 0.0.0.0:8080
  ORDER_URL=http://10.0.0.7:8080 tutti edge

Settings, by environment:
  ORDER_URL … EMAIL_URL                where a service answers customers [default: http://<service>:8080]
  ORDER_ADMIN_URL … EMAIL_ADMIN_URL    where it answers operators [default: http://<service>:8081]
  WORLD_URL                            the simulated outside world [default: http://world:8080]";

/// `tutti edge`.
#[derive(Debug, Args)]
#[command(after_help = EDGE_EXAMPLES)]
pub struct EdgeArgs {
    /// Where the API listens; port 0 takes any free one
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_listen, env = "LISTEN", hide_env_values = true, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Open nothing; tell whether the edge that listens there is alive: exit code 0 if it is
    #[arg(long)]
    pub health: bool,
}

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

/// `tutti order …`.
#[derive(Debug, Subcommand)]
pub enum OrderCommand {
    /// Place an order
    #[command(after_help = PLACE_EXAMPLES)]
    Place(Box<PlaceArgs>),
    /// Show an order's timeline across all services, and what it waits for
    #[command(after_help = "Example:\n  tutti order show 0af7651916cd43dd8448eb211c80319c")]
    Show {
        /// The order
        order_id: String,
    },
    /// List orders
    #[command(
        after_help = "Examples:\n  tutti order list --state pending\n  tutti order list --customer c-42 --limit 5"
    )]
    List(ListArgs),
    /// Follow an order until nothing more will happen to it
    #[command(after_help = "Example:\n  tutti order watch 0af7651916cd43dd8448eb211c80319c")]
    Watch {
        /// The order
        order_id: String,
        /// How long to follow it
        #[arg(long, value_name = "SPAN", value_parser = parse_span, default_value = "15m")]
        timeout: Duration,
    },
    /// Ask for an order to be cancelled
    #[command(
        after_help = "A cancellation can come too late: then the parcel is out, and the answer says so.\n\nExample:\n  tutti order cancel 0af7651916cd43dd8448eb211c80319c --reason \"ordered twice\""
    )]
    Cancel {
        /// The order
        order_id: String,
        /// Why
        #[arg(long, default_value = "changed my mind")]
        reason: String,
    },
}

const PLACE_EXAMPLES: &str = "\
Examples:
  tutti order place                                     one TEA-001, paid with a card that works
  tutti order place TEA-001:2 CUP-001 --wait settled
  tutti order place --token tok_declined --wait settled
  tutti order place --country XX                        a country that the carrier does not serve

Cards that behave: tok_ok, tok_declined, tok_insufficient_funds, tok_slow, tok_flaky, tok_timeout_then_success, tok_unknown.
The same --key with the same order gives the same order again, never a second one.";

/// `tutti order place`.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// What, and how many of it
    #[arg(value_name = "SKU[:QUANTITY]", default_value = "TEA-001", value_parser = parse_line)]
    pub lines: Vec<(String, i64)>,
    /// Who orders [default: a new customer]
    #[arg(long)]
    pub customer: Option<String>,
    /// Makes repeating this command harmless [default: a new one]
    #[arg(long, value_name = "IDEMPOTENCY_KEY", value_parser = parse_key)]
    pub key: Option<String>,
    /// How to pay
    #[arg(long, default_value = "tok_ok")]
    pub token: String,
    /// Where mails go
    #[arg(long, default_value = "ada@example.com")]
    pub email: String,
    /// Where text messages go [default: none are sent]
    #[arg(long)]
    pub phone: Option<String>,
    /// To whom it is sent
    #[arg(long, default_value = "Ada Lovelace")]
    pub name: String,
    /// Street and number
    #[arg(long, default_value = "Unter den Linden 1")]
    pub street: String,
    /// City
    #[arg(long, default_value = "Berlin")]
    pub city: String,
    /// Postal code
    #[arg(long, default_value = "10117")]
    pub postal_code: String,
    /// Country, by its two letters
    #[arg(long, default_value = "DE")]
    pub country: String,
    /// Wait until the order has got there
    #[arg(long, value_enum)]
    pub wait: Option<Milestone>,
    /// How long to wait
    #[arg(long, value_name = "SPAN", value_parser = parse_span, default_value = "60s")]
    pub timeout: Duration,
}

/// `tutti order list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only this customer's
    #[arg(long)]
    pub customer: Option<String>,
    /// Only those in this state
    #[arg(long, value_parser = ["pending", "confirmed", "completed", "cancelled"])]
    pub state: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Where to go on, as the list before said
    #[arg(long)]
    pub after: Option<String>,
}

/// `tutti stock …`.
#[derive(Debug, Subcommand)]
pub enum StockCommand {
    /// Show what is in the warehouse
    #[command(after_help = "Examples:\n  tutti stock list\n  tutti --json stock list")]
    List,
    /// Bring new goods in
    #[command(after_help = "Example:\n  tutti stock replenish TEA-001 100")]
    Replenish {
        /// What
        sku: String,
        /// How many
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        quantity: i64,
        /// Makes repeating this command harmless [default: a new one]
        #[arg(long, value_name = "IDEMPOTENCY_KEY", value_parser = parse_key)]
        key: Option<String>,
    },
}

/// `tutti world …`.
#[derive(Debug, Subcommand)]
pub enum WorldCommand {
    /// Show every setting
    #[command(after_help = "Example:\n  tutti world show")]
    Show,
    /// Change settings of the running shop; the others stay
    #[command(
        after_help = "Examples:\n  tutti world set carrier.collects=false\n  tutti world set gateway.decline=0.2 gateway.fail=0.1"
    )]
    Set {
        /// What to change
        #[arg(required = true, value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
}

/// How to show the map.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum MapFormat {
    /// One line per decision
    #[default]
    Table,
    /// A Mermaid diagram
    Mermaid,
    /// JSON
    Json,
}

/// `tutti verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Check this data directory instead of the shop at --url
    #[arg(long, value_name = "DIR", env = "TUTTI_DATA", hide_env_values = true)]
    pub data: Option<PathBuf>,
    /// Check a deployed shop: the services' databases, as ORDER_DATABASE_URL, INVENTORY_DATABASE_URL, PAYMENT_…,
    /// SHIPPING_… and EMAIL_DATABASE_URL name them, and the books of the outside world
    #[arg(long)]
    pub deployed: bool,
    /// With --deployed: who serves the books of the outside world
    #[arg(long, value_name = "URL", env = "WORLD_URL", default_value = "http://world:8080")]
    pub world_url: String,
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

fn parse_line(text: &str) -> Result<(String, i64), String> {
    let (sku, quantity) = text.split_once(':').unwrap_or((text, "1"));
    match quantity.parse() {
        Ok(quantity) if quantity > 0 && !sku.is_empty() => Ok((sku.to_owned(), quantity)),
        _ => Err("write a SKU and how many of it, for example TEA-001:2".to_owned()),
    }
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an address of this machine and a port, for example 127.0.0.1:8080".to_owned())
}

/// What the name of a topic may hold. With the longest name of a service behind it, it is short enough for Kafka.
fn parse_prefix(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if text.len() <= 200 && text.bytes().all(allowed) {
        return Ok(text.to_owned());
    }
    Err("a topic's name is made of at most 200 letters, digits, dots, underscores and hyphens".to_owned())
}

/// What a header of that name may hold.
fn parse_key(text: &str) -> Result<String, String> {
    if (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err("an idempotency key is 1 to 255 visible ASCII characters, without spaces".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_make_sense() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_is_explained_by_an_example() {
        fn leaves(command: &clap::Command) -> Vec<&clap::Command> {
            let mut inner = command.get_subcommands().peekable();
            if inner.peek().is_none() { vec![command] } else { inner.flat_map(leaves).collect() }
        }
        let cli = Cli::command();
        assert!(leaves(&cli).len() > 12);
        for command in leaves(&cli) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!(" {}", command.get_name())), "`{}` has no example", command.get_name());
        }
    }

    #[test]
    fn a_line_is_a_sku_and_a_quantity() {
        assert_eq!(parse_line("TEA-001:2"), Ok(("TEA-001".into(), 2)));
        assert_eq!(parse_line("TEA-001"), Ok(("TEA-001".into(), 1)));
        for text in ["", ":2", "TEA-001:", "TEA-001:0", "TEA-001:-1", "TEA-001:two", "TEA-001:99999999999999999999"] {
            assert!(parse_line(text).is_err(), "{text}");
        }
    }
}
