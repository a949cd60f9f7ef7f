//! The settings of the program `world`.

use super::ServerError;
use crate::{BadFault, Faults, carrier::webhook::WEBHOOK_URL, post::mailpit::MAIL_API_URL};
use clap::Parser;
use runtime::remote::ServerUrl;
use serde_json::{Value, json};
use shipping::signature::WebhookSecret;
use std::{convert::Infallible, fmt, net::SocketAddr, path::PathBuf, str::FromStr};

const EXAMPLES: &str = "\
Examples:
  world --listen 127.0.0.1:8090 --webhook-url http://127.0.0.1:8080/carrier/reports
  world --data /var/lib/world --world gateway.decline=0.1 --world carrier.transit_ms=5000

A shop finds it with PAYMENT_GATEWAY_URL=http://HOST:8090/gateway, CARRIER_URL=http://HOST:8090/carrier and
SMS_URL=http://HOST:8090/sms. GET /openapi.json describes all it serves.";

/// A simulated payment gateway, carrier and SMS centre, served over HTTP
#[derive(Debug, Parser)]
#[command(name = "world", version, after_help = EXAMPLES, max_term_width = 110)]
pub struct Args {
    /// Where it listens; port 0 takes any free one
    #[arg(long, value_name = "ADDR:PORT", env = "LISTEN", hide_env_values = true, default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// Where it keeps its books; made if it is not there
    #[arg(long, value_name = "DIR", env = "DATA", hide_env_values = true, default_value = "world-data")]
    pub data: PathBuf,
    /// Where the shop takes the carrier's reports
    #[arg(long, value_name = "URL", env = "WEBHOOK_URL", hide_env_values = true, required_unless_present = "health")]
    webhook_url: Option<String>,
    /// What the carrier signs its reports with; rather set it in the environment, where `ps` does not show it
    #[arg(
        long,
        value_name = "SECRET",
        env = "CARRIER_WEBHOOK_SECRET",
        hide_env_values = true,
        required_unless_present = "health"
    )]
    webhook_secret: Option<Hidden>,
    /// The API of the mail catcher (Mailpit) that GET /mailbox reads mails from; text messages only without it
    #[arg(long, value_name = "URL", env = "MAIL_API_URL", hide_env_values = true)]
    mail_api_url: Option<String>,
    /// Tell whether the world that runs here with these settings answers: exit code 0 if it does
    #[arg(long)]
    pub health: bool,
    /// How gateway, carrier and SMS centre behave from the start; GET /world shows the keys
    #[arg(long = "world", value_name = "KEY=VALUE")]
    world: Vec<String>,
}

/// Text that does not show, neither in `Debug` nor in what clap says of a wrong value: it takes any.
#[derive(Clone)]
struct Hidden(String);

impl FromStr for Hidden {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Hidden, Infallible> {
        Ok(Hidden(text.to_owned()))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Args {
    pub(super) fn webhook_url(&self) -> Result<ServerUrl, ServerError> {
        WEBHOOK_URL.parse(self.webhook_url.as_deref().unwrap_or_default()).map_err(wrong)
    }

    pub(super) fn webhook_secret(&self) -> Result<WebhookSecret, ServerError> {
        let secret = self.webhook_secret.as_ref().map(|Hidden(secret)| &**secret).unwrap_or_default();
        WebhookSecret::parse("CARRIER_WEBHOOK_SECRET", secret).map_err(wrong)
    }

    pub(super) fn mail_api_url(&self) -> Result<Option<ServerUrl>, ServerError> {
        self.mail_api_url.as_deref().map(|url| MAIL_API_URL.parse(url)).transpose().map_err(wrong)
    }

    pub(super) fn faults(&self) -> Result<Faults, ServerError> {
        let faults = self.world.iter().try_fold(Faults::default(), |faults, setting| with(faults, setting));
        Ok(faults?)
    }
}

fn wrong(bad: impl fmt::Display) -> ServerError {
    ServerError::Setting(bad.to_string())
}

/// The faults with one of them set, as in `gateway.decline=0.1`.
fn with(faults: Faults, setting: &str) -> Result<Faults, BadFault> {
    let no_setting = || BadFault {
        field: setting.to_owned(),
        problem: "is not KEY=VALUE; write for example gateway.decline=0.1".to_owned(),
    };
    let (key, value) = setting.split_once('=').ok_or_else(no_setting)?;
    let (group, name) = key.split_once('.').ok_or_else(no_setting)?;
    // What is no JSON is text, which the error then quotes.
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    faults.patched(&json!({ group: { name: value } }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn args(more: &[&str]) -> Args {
        let all =
            ["world", "--webhook-url", "http://shop/carrier/reports", "--webhook-secret", "hunter2 hunter2 hunter2"];
        Args::try_parse_from(all.iter().chain(more)).expect("settings")
    }

    #[test]
    fn the_arguments_make_sense() {
        Args::command().debug_assert();
    }

    #[test]
    fn its_health_can_be_asked_for_without_any_setting() {
        assert!(Args::try_parse_from(["world", "--health"]).expect("settings").health);
        assert!(Args::try_parse_from(["world"]).is_err());
    }

    #[test]
    fn faults_are_set_as_in_the_shop() {
        let faults =
            args(&["--world", "gateway.decline=0.5", "--world", "carrier.collects=false"]).faults().expect("faults");
        assert!(!faults.carrier.collects);
        assert_eq!(faults.gateway.decline, 0.5);
        for (setting, named) in [("gateway.declin=1", "gateway.declin"), ("gateway=1", "KEY=VALUE"), ("x", "KEY=VALUE")]
        {
            let refused = args(&["--world", setting]).faults().expect_err(setting).to_string();
            assert!(refused.starts_with("--world ") && refused.contains(named), "{refused}");
        }
    }

    #[test]
    fn a_secret_does_not_show_and_what_is_wrong_is_named() {
        assert!(!format!("{:?}", args(&[])).contains("hunter2"));
        let short = Args { webhook_secret: Some(Hidden("hunter2".into())), ..args(&[]) };
        let refused = short.webhook_secret().expect_err("short").to_string();
        assert!(refused.contains("CARRIER_WEBHOOK_SECRET") && !refused.contains("hunter2"), "{refused}");
        let nowhere =
            Args { webhook_url: Some("shop".into()), ..args(&[]) }.webhook_url().expect_err("no URL").to_string();
        assert!(nowhere.contains("WEBHOOK_URL is `shop`"), "{nowhere}");
        let mail = args(&["--mail-api-url", "ftp://mail"]).mail_api_url().expect_err("ftp").to_string();
        assert!(mail.contains("MAIL_API_URL is `ftp://mail`"), "{mail}");
    }
}
