//! What stands behind the program's name on its command line. Everything else is in the environment.

/// What is asked of the program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// To be the service.
    Run,
    /// To tell whether the service that runs beside it, with the same settings, is ready.
    Health,
    /// To explain itself.
    Help,
}

pub(super) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let asked = match arguments.next().as_deref() {
        None => Asked::Run,
        Some("--health") => Asked::Health,
        Some("--help" | "-h") => Asked::Help,
        Some(other) => return Err(format!("`{other}` is no argument; --help shows all")),
    };
    match arguments.next() {
        Some(other) => Err(format!("`{other}` is one argument too many; --help shows all")),
        None => Ok(asked),
    }
}

pub(super) fn help(service: &str) -> String {
    format!(
        "The service `{service}` of a tutti shop, as a process of its own

Usage: {service} [--health]

  --health  tell whether the service that runs here with these settings is ready: exit code 0 if it is
  --help    show this

Settings are environment variables:
  DATABASE_URL                 the service's own PostgreSQL database
  KAFKA_BOOTSTRAP_SERVERS      brokers, as host:port,host:port
  SCHEMA_REGISTRY_URL          a Confluent-compatible schema registry
  LISTEN                       where customers' requests come in [0.0.0.0:8080]
  ADMIN_LISTEN                 where operators' requests come in, closed to customers [0.0.0.0:8081]
  ADVERTISE                    where other replicas reach LISTEN [the host's name and that port]
  KAFKA_TOPIC_PREFIX           stands before each topic's name, where shops share a cluster [none]
  OTEL_EXPORTER_OTLP_ENDPOINT  where traces, metrics and log lines go [nowhere]
  TUTTI_LOG                    what is logged, as info,runtime=debug [info]
What this service needs beside these it names when it is missing.

Exit codes: 0 asked to end, or ready; 1 not ready, or it could not go on; 2 a setting is wrong;
4 what a setting names cannot be used."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(arguments: &[&str]) -> Result<Asked, String> {
        read(arguments.iter().map(ToString::to_string))
    }

    #[test]
    fn arguments_are_understood_or_named() {
        assert_eq!(asked(&[]), Ok(Asked::Run));
        assert_eq!(asked(&["--health"]), Ok(Asked::Health));
        assert_eq!(asked(&["-h"]), Ok(Asked::Help));
        assert!(asked(&["--heath"]).unwrap_err().contains("`--heath`"));
        assert!(asked(&["--health", "now"]).unwrap_err().contains("`now`"));
    }
}
