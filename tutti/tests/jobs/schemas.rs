//! `tutti schemas register|check`.

use crate::run::{Ran, address, setting, tutti, unique};
use serde_json::Value;
use std::collections::BTreeSet;

/// Subjects that are gone when the test ends.
struct Subjects {
    registry: String,
    prefix: String,
}

impl Subjects {
    fn run(&self, args: &[&str]) -> Ran {
        let prefix = ["--topic-prefix", &self.prefix];
        tutti(&[args, &prefix[..]].concat(), &[setting("SCHEMA_REGISTRY_URL", &self.registry)])
    }

    fn ask(&self, method: reqwest::Method, path: &str) -> (u16, Value) {
        let url = format!("{}/{path}", self.registry.trim_end_matches('/'));
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let answer = http.request(method, url).send().await.unwrap();
            (answer.status().as_u16(), answer.json().await.unwrap_or_default())
        })
    }

    fn subjects(&self) -> BTreeSet<String> {
        let all: BTreeSet<String> = serde_json::from_value(self.ask(reqwest::Method::GET, "subjects").1).unwrap();
        all.into_iter().filter(|subject| subject.starts_with(&self.prefix)).collect()
    }
}

impl Drop for Subjects {
    fn drop(&mut self) {
        for subject in self.subjects() {
            for path in [format!("subjects/{subject}"), format!("subjects/{subject}?permanent=true")] {
                // Not every registry knows the second step.
                _ = self.ask(reqwest::Method::DELETE, &path);
            }
        }
    }
}

#[test]
fn everything_is_registered_once_and_compatible_for_ever() {
    let Some(registry) = address("SCHEMA_REGISTRY_URL") else { return };
    let subjects = Subjects { registry, prefix: unique("schemas.") };
    subjects.run(&["schemas", "check"]).refused(1, &["schemas are not registered", "tutti schemas register"]);
    let tried = subjects.run(&["--json", "schemas", "register", "--dry-run"]).document();
    assert!(tried["dry_run"] == true && subjects.subjects().is_empty(), "{tried}");

    let first = subjects.run(&["--json", "schemas", "register"]).document();
    let registered = first["schemas"].as_array().unwrap();
    assert!(registered.iter().all(|one| one["was_there"] == false && one["id"].is_u64()), "{first}");
    let expected: BTreeSet<String> = registered.iter().map(|one| one["subject"].as_str().unwrap().to_owned()).collect();
    assert_eq!(subjects.subjects(), expected);
    let subject = expected.first().unwrap();
    let level = subjects.ask(reqwest::Method::GET, &format!("config/{subject}")).1;
    assert_eq!(level["compatibilityLevel"], "FULL_TRANSITIVE");

    let again = subjects.run(&["--json", "schemas", "register"]).document();
    assert!(again["schemas"].as_array().unwrap().iter().all(|one| one["was_there"] == true), "{again}");
    assert_eq!(subjects.run(&["schemas", "check"]).code, 0);
}

#[test]
fn a_registry_that_is_away_or_unnamed_is_told_apart() {
    tutti(&["schemas", "check"], &[]).refused(2, &["SCHEMA_REGISTRY_URL is not set"]);
    tutti(&["schemas", "check"], &[setting("SCHEMA_REGISTRY_URL", "registry")]).refused(2, &["`registry`"]);
    let nobody = [setting("SCHEMA_REGISTRY_URL", "http://127.0.0.1:1")];
    tutti(&["schemas", "register"], &nobody).refused(3, &["127.0.0.1:1", "away"]);
}
