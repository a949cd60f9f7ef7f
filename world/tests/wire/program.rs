//! The program `world`: what it says when it cannot start, how it ends, and what it still knows after a kill.

use crate::served::until;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

const SECRET: &str = "hunter2 hunter2 hunter2";

fn command(data: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_world"));
    for setting in ["MAIL_API_URL", "LISTEN", "DATA", "TUTTI_LOG"] {
        command.env_remove(setting);
    }
    command.env("CARRIER_WEBHOOK_SECRET", SECRET).env("WEBHOOK_URL", "http://127.0.0.1:1/carrier/reports");
    command.args(["--listen", "127.0.0.1:0"]).arg("--data").arg(data).args(more);
    command
}

/// The program at work. It is gone when this is dropped.
struct Program {
    child: Child,
    url: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Program {
    fn start(data: &Path, more: &[&str]) -> Program {
        let mut child = command(data, more).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url =
            line.trim().strip_prefix("The outside world is open: ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Program { child, url }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let reply = reqwest::get(format!("{}{path}", self.url)).await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap())
    }

    async fn capture(&self, key: &str, token: &str) -> (u16, Value) {
        let body = json!({"order_id": "o-1", "amount_minor": 2590, "currency": "EUR", "token": token});
        let request = reqwest::Client::new().post(format!("{}/gateway/captures", self.url)).json(&body);
        let reply = request.header("Idempotency-Key", key).send().await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap())
    }
}

/// How it ends where it cannot start, and what it says.
async fn refused(data: &Path, more: &[&str]) -> (Option<i32>, String) {
    let child = command(data, more).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut program = Program { child, url: String::new() };
    let status = ended(&mut program).await;
    let mut said = String::new();
    program.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (status.code(), said)
}

async fn ended(program: &mut Program) -> ExitStatus {
    until("an end of the program", || std::future::ready(program.child.try_wait().unwrap())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_calls_books_faults_and_their_description() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &["--world", "gateway.slow_ms=7"]);
    assert_eq!(program.get("/world").await.1["gateway"]["slow_ms"], 7);
    assert_eq!(
        program.capture("k/1", "tok_declined").await,
        (402, json!({"outcome": "declined", "code": "card_declined"}))
    );
    assert_eq!(program.get("/gateway/operations/k%2F1").await.0, 200);
    assert_eq!(program.get("/gateway/operations/k%2F2").await, (404, json!({"outcome": "unknown"})));
    assert_eq!(program.get("/gateway/ledger").await.1["entries"][0]["key"], "k/1");
    assert_eq!(program.get("/nothing").await.0, 404);
    let (_, document) = program.get("/openapi.json").await;
    let paths: Vec<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "/carrier/cancellations",
        "/carrier/hand-overs",
        "/carrier/labels",
        "/carrier/operations/{key}",
        "/carrier/parcels",
        "/gateway/captures",
        "/gateway/ledger",
        "/gateway/operations/{key}",
        "/gateway/refunds",
        "/mailbox",
        "/sms/messages",
        "/world",
    ];
    assert_eq!(paths, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_program_still_knows_what_it_has_answered() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(folder.path(), &[]);
    let answered = program.capture("k", "tok_ok").await;
    assert_eq!(answered.0, 200);
    program.child.kill().unwrap();
    program.child.wait().unwrap();
    let again = Program::start(folder.path(), &[]);
    assert_eq!(again.get("/gateway/operations/k").await, answered);
    assert_eq!(again.capture("k", "tok_ok").await, answered);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn asked_to_end_it_finishes_what_is_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(folder.path(), &["--world", "gateway.slow_ms=700"]);
    let (answer, ()) = tokio::join!(program.capture("k", "tok_slow"), async {
        until("a capture under way", || async {
            let (_, ledger) = program.get("/gateway/ledger").await;
            (ledger["entries"][0]["outcome"] == "pending").then_some(())
        })
        .await;
        let terminated = Command::new("kill").arg(program.child.id().to_string()).status().unwrap();
        assert!(terminated.success());
    });
    assert_eq!(answer.0, 200, "{answer:?}");
    assert_eq!(ended(&mut program).await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_cannot_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for (more, named) in [
        (vec!["--world", "gateway.declin=1"], "gateway.declin"),
        (vec!["--world", "carrier.collects"], "KEY=VALUE"),
        (vec!["--webhook-url", "https://there"], "WEBHOOK_URL is `https://there`"),
        (vec!["--webhook-secret", "hunter2"], "CARRIER_WEBHOOK_SECRET holds a secret of 7 bytes"),
        (vec!["--mail-api-url", "there"], "MAIL_API_URL is `there`"),
        (vec!["--listen", "there"], "--listen"),
    ] {
        let (code, said) = refused(&data, &more).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(named) && !said.contains("hunter2"), "{said}");
    }
    assert!(!data.exists(), "nothing was made");
    let _first = Program::start(&data, &[]);
    let (code, said) = refused(&data, &[]).await;
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("another world uses it") && said.contains("--data"), "{said}");
}
