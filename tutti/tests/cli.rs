//! The command line as a person or a script meets it: the real binary, its output and its exit code, against a small
//! stand-in for the shop.

#![allow(clippy::unwrap_used, reason = "clippy knows tests by their attribute, and helpers have none")]

mod stand_in;

use insta::assert_snapshot;
use stand_in::{StandIn, nobody, tutti};

#[test]
fn help_teaches() {
    assert_snapshot!("help", tutti(&["--help"], nobody()).to_string());
    assert_snapshot!("help_order_place", tutti(&["order", "place", "--help"], nobody()).to_string());
    assert_snapshot!("help_up", tutti(&["up", "--help"], nobody()).to_string());
}

#[test]
fn wrong_arguments_are_named_with_what_to_write_instead() {
    let wrong: &[&[&str]] = &[
        &["ordr", "list"],
        &["order", "show"],
        &["order", "place", "TEA-001:none"],
        &["order", "place", "--key", "two words"],
        &["order", "list", "--state", "lost"],
        &["order", "watch", "x", "--timeout", "soon"],
        &["stock", "replenish", "TEA-001", "0"],
        &["world", "set", "carrier.collects"],
        &["up", "--listen", "8080"],
        &["up", "--world", "gateway.decline=often"],
        &["--url", "https://example.com", "order", "list"],
        &["--url", "somewhere", "order", "list"],
    ];
    let told: Vec<String> = wrong.iter().map(|args| tutti(args, nobody()).to_string()).collect();
    assert!(told.iter().all(|told| told.contains("exit code: 2")), "{told:#?}");
    assert_snapshot!("wrong_arguments", told.join("\n\n"));
}

#[test]
fn a_shop_that_is_not_there_is_named_with_what_to_do() {
    let ran = tutti(&["order", "show", "0af7651916cd43dd8448eb211c80319c"], nobody());
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.starts_with("error: cannot reach the shop at http://shop/orders/0af7651"), "{ran}");
    assert!(ran.stderr.contains("Start it with `tutti up`"), "{ran}");
}

#[test]
fn a_refusal_names_the_field_and_the_detail() {
    let shop = StandIn::open();
    let ran = tutti(&["order", "place", "TEA-001:5000"], &shop.url);
    assert_eq!(ran.code, 1);
    assert_snapshot!("refused", ran.to_string());
}

#[test]
fn a_refusal_is_a_document_for_machines() {
    let shop = StandIn::open();
    let ran = tutti(&["--json", "order", "place", "TEA-001:5000"], &shop.url);
    let document: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(document["exit_code"], 1);
    assert_eq!(document["problem"]["field"], "lines[0].quantity");
    assert_eq!(ran.stdout, "");
}

#[test]
fn somebody_else_s_server_is_told_apart_from_a_shop() {
    let shop = StandIn::open();
    let ran = tutti(&["order", "show", "html"], &shop.url);
    assert_eq!(ran.code, 1);
    assert_snapshot!("not_a_shop", ran.to_string());
}

#[test]
fn an_id_is_never_taken_for_a_path() {
    let shop = StandIn::open();
    let ran = tutti(&["order", "show", "../products?x=#y"], &shop.url);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no order ../products?x=#y"), "{}", ran.stderr);
}

#[test]
fn placing_waits_and_says_how_it_ended() {
    let shop = StandIn::open();
    let args = ["order", "place", "TEA-001:2", "--customer", "c-42", "--key", "k-1", "--wait", "settled"];
    let ran = tutti(&args, &shop.url);
    assert_eq!(ran.code, 0);
    assert_snapshot!("placed", ran.to_string());
}

#[test]
fn an_order_that_was_not_confirmed_is_an_error_to_a_script_that_waits_for_it() {
    let shop = StandIn::open();
    let args = ["--json", "order", "place", "--token", "tok_declined", "--key", "k-2", "--customer", "c-42"];
    let ran = tutti(&[&args[..], &["--wait", "confirmed"]].concat(), &shop.url);
    assert_eq!(ran.code, 1);
    let order: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(order["reason"], "payment_declined");
    assert_eq!(order["idempotency_key"], "k-2");
}

#[test]
fn watching_tells_every_event_once_and_the_ending() {
    let shop = StandIn::open();
    let ran = tutti(&["order", "watch", stand_in::DECLINED], &shop.url);
    assert_eq!(ran.code, 0);
    assert_snapshot!("watched", ran.to_string());
}

#[test]
fn lists_are_tables_in_a_pipe_and_documents_for_machines() {
    let shop = StandIn::open();
    assert_snapshot!("listed", tutti(&["order", "list", "--customer", "c-42"], &shop.url).to_string());
    assert_snapshot!("stock", tutti(&["stock", "list"], &shop.url).to_string());
    let document: serde_json::Value =
        serde_json::from_str(&tutti(&["--json", "stock", "list"], &shop.url).stdout).unwrap();
    assert_eq!(document["items"][0]["sku"], "TEA-001");
}

#[test]
fn the_world_is_changed_by_what_is_named_and_shown_as_a_whole() {
    let shop = StandIn::open();
    let ran = tutti(&["world", "set", "carrier.collects=false", "gateway.fail=0.5"], &shop.url);
    assert_eq!(ran.code, 0);
    assert_snapshot!("world", ran.to_string());
}

#[test]
fn only_a_shop_s_directory_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    let data = folder.path().to_str().unwrap();

    let foreign = tutti(&["reset", "--data", data, "--yes"], nobody());
    assert_eq!(foreign.code, 4, "{foreign}");
    assert!(folder.path().join("thesis.txt").exists());

    let nothing = folder.path().join("nothing");
    let missing = tutti(&["reset", "--data", nothing.to_str().unwrap(), "--yes"], nobody());
    assert_eq!(missing.code, 0, "{missing}");
}

/// Runs the binary for a deployed shop that is described by these settings.
fn deployed(args: &[&str], settings: &[(&str, &str)]) -> (i32, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tutti"));
    let ran = command.args(args).env_clear().envs(settings.iter().copied()).output().unwrap();
    (ran.status.code().unwrap(), String::from_utf8(ran.stderr).unwrap())
}

#[test]
fn what_a_deployed_shop_s_job_lacks_is_named() {
    const BROKERS: (&str, &str) = ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1");
    const REGISTRY: (&str, &str) = ("SCHEMA_REGISTRY_URL", "http://127.0.0.1:1");
    let recover = ["recover", "--service", "payment"];
    for (args, settings, named) in [
        (&["republish"][..], &[][..], "its topic, one and the same file"),
        (&recover, &[], "there is nothing to recover it from"),
        (&recover, &[BROKERS], "SCHEMA_REGISTRY_URL is not set"),
        (&recover, &[BROKERS, REGISTRY], "PAYMENT_DATABASE_URL is not set"),
        (&recover, &[BROKERS, REGISTRY, ("DATABASE_URL", "nonsense")], "DATABASE_URL cannot be used"),
        (&["republish"], &[BROKERS, REGISTRY, ("DATABASE_URL", "postgres://a@b/c")], "ORDER_DATABASE_URL is not set"),
        (&["reset", "--yes"], &[BROKERS, REGISTRY], "ORDER_DATABASE_URL is not set"),
    ] {
        let (code, told) = deployed(args, settings);
        assert_eq!(code, 2, "{args:?}: {told}");
        assert!(told.contains(named), "{args:?}: {told}");
    }
    let away = ("PAYMENT_DATABASE_URL", "postgres://payment:secret@127.0.0.1:1/payment");
    let (code, told) = deployed(&recover, &[BROKERS, REGISTRY, away]);
    assert_eq!(code, 3, "{told}");
    assert!(told.contains("the database `payment` at 127.0.0.1:1") && !told.contains("secret"), "{told}");
}

#[test]
fn wrong_arguments_of_a_job_are_named_with_what_to_write_instead() {
    let skip = ["skip", "--service", "payment", "--source", "order"];
    for (args, named) in [
        (&["republish", "--service", "kitchen"][..], "possible values: order, inventory, payment, shipping, email"),
        (&["recover"], "--service <SERVICE>"),
        (&[&skip[..], &["--seq", "0", "--reason", "x"]].concat(), "--seq <SEQ>"),
        (&[&skip[..], &["--seq", "7"]].concat(), "--reason <REASON>"),
    ] {
        let ran = tutti(args, nobody());
        assert_eq!(ran.code, 2, "{ran}");
        assert!(ran.stderr.contains(named), "{ran}");
    }
    for job in ["republish", "recover", "skip", "reset"] {
        let help = tutti(&[job, "--help"], nobody()).stdout;
        assert!(help.contains(&format!("tutti {job} ")) && help.contains("--dry-run"), "{help}");
    }
}

#[test]
fn a_reset_can_be_tried_without_deleting() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shop");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("tutti.lock"), "").unwrap();
    let ran = tutti(&["reset", "--dry-run", "--data", data.to_str().unwrap()], nobody());
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("Would delete") && data.exists(), "{ran}");
}

#[test]
fn a_directory_that_is_not_there_cannot_be_verified() {
    let ran = tutti(&["verify", "--data", "/no/such/directory"], nobody());
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("--data /no/such/directory"), "{}", ran.stderr);
}

#[test]
fn the_map_names_every_service_in_every_format() {
    for args in [&["map"][..], &["map", "--format", "mermaid"], &["map", "--format", "json"], &["--json", "map"]] {
        let ran = tutti(args, nobody());
        assert_eq!(ran.code, 0);
        for name in ["order", "inventory", "payment", "shipping", "email", "OrderPlaced"] {
            assert!(ran.stdout.contains(name), "{args:?} does not name {name}");
        }
    }
}

#[test]
fn shells_complete_what_there_is() {
    let ran = tutti(&["completions", "bash"], nobody());
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.contains("--order-deadline"));
}
