//! The arguments, and the help that teaches them.

mod jobs;
mod order;

pub use jobs::{
    DatabasesCommand, Prefix, RecoverArgs, RepublishArgs, ResetArgs, SchemasCommand, SkipArgs, TopicsCommand,
};
pub use order::{ListArgs, OrderCommand, PlaceArgs};

use crate::time::parse_span;
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
    Republish(RepublishArgs),
    /// Rebuild a service whose database was lost, or is an older backup, from its topic
    Recover(RecoverArgs),
    /// Give up a record that is lost for good, so that a service goes on behind it
    Skip(SkipArgs),
    /// Delete the whole shop, with every order in it: its data directory, or its databases and topics
    Reset(ResetArgs),
    /// Print the completion script for a shell
    #[command(after_help = "Example:\n  tutti completions bash > ~/.local/share/bash-completion/completions/tutti")]
    Completions {
        /// For which shell
        shell: Shell,
    },
}

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

const VERIFY_EXAMPLES: &str = "\
Examples:
  tutti verify                        the running shop at --url
  tutti verify --data ./tutti-data    a data directory, of a running shop or of a stopped one
  tutti verify --deployed             the databases that ORDER_DATABASE_URL, INVENTORY_DATABASE_URL and so on
                                      name, and the world at WORLD_URL

Exits with 1 if an invariant is violated.";

/// `tutti verify`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
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

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an address of this machine and a port, for example 127.0.0.1:8080".to_owned())
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
}
