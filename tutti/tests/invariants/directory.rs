//! A data directory on disk: verified like any other evidence, and refused with a reason when it is not one.

use crate::{
    frozen::Frozen,
    scene::{COMPLETED, SERVICES, every_story},
};
use runtime::{
    SystemClock,
    store::{Batch, SqliteStore, Store},
};
use rusqlite::{Connection, params};
use std::{fs, path::Path, sync::Arc};
use tempfile::TempDir;
use tutti::invariants::verify_dir;
use world::World;

/// Writes a shop to files as its services and its outside world do.
async fn on_disk(shop: &Frozen) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, frozen) in SERVICES.iter().zip(&shop.stores) {
        let path = dir.path().join(format!("{name}.db"));
        let mut store = SqliteStore::open(&path, frozen.lead.generation).expect("a new file");
        let lead = store.begin_reign("test", 1).expect("nobody else leads");
        let batch = Batch {
            lead,
            log: frozen.log.iter().cloned().map(Arc::new).collect(),
            states: frozen.states.clone(),
            cursors: frozen.cursors.clone(),
            work_put: frozen.work.iter().cloned().map(Arc::new).collect(),
            ..Batch::default()
        };
        store.commit(&batch).expect("written");
    }
    let world = dir.path().join("world");
    let open = World::open(&world, &world::Options::default(), Arc::new(SystemClock), |_| async { Ok(()) });
    drop(open.expect("new books"));
    fill(shop, &world);
    dir
}

fn fill(shop: &Frozen, world: &Path) {
    let open = |book| Connection::open(world.join(book)).expect("a book");
    let (gateway, carrier, mailbox) = (open("gateway.db"), open("carrier.db"), open("mailbox.db"));
    for it in &shop.entries {
        let sql = "INSERT INTO entry (id, key, order_id, kind, amount_minor, currency, source, code, at) VALUES (?1, ?1, ?2, ?3, ?4, ?5, '', ?6, 0)";
        let code = (!it.succeeded).then_some("card_declined");
        let values = params![it.id, it.order_id, it.refund, it.amount_minor, it.currency, code];
        gateway.execute(sql, values).expect("an entry");
    }
    for it in &shop.parcels {
        let sql = "INSERT INTO parcel (id, order_id, label, step, under_way, booked_at, out_at, delivered_at, void_at) VALUES (?1, ?2, ?1, 0, ?3, 0, ?4, ?5, ?6)";
        let at = |happened: bool| happened.then_some(1);
        let values = params![it.id, it.order_id, it.under_way, at(it.out), at(it.delivered), at(it.void)];
        carrier.execute(sql, values).expect("a parcel");
    }
    for it in &shop.messages {
        let sql = "INSERT INTO message (id, order_id, sms, template, recipient, subject, body, message_id, copies, at) VALUES (?1, ?2, ?3, ?4, '', '', '', ?5, 1, 0)";
        mailbox.execute(sql, params![it.id, it.order_id, it.sms, it.template, it.message_id]).expect("a message");
    }
}

#[tokio::test]
async fn a_data_directory_is_verified_like_any_other_evidence() {
    let dir = on_disk(&every_story().freeze()).await;

    let report = verify_dir(dir.path(), &()).expect("a shop's directory");
    assert_eq!(report.violations, []);
    assert_eq!((report.orders, report.open), (8, 1));

    let gateway = Connection::open(dir.path().join("world/gateway.db")).expect("the ledger");
    gateway.execute("UPDATE entry SET amount_minor = 1 WHERE order_id = ?1", [COMPLETED]).expect("planted");
    let report = verify_dir(dir.path(), &()).expect("a shop's directory");
    let broken: Vec<_> = report.violations.iter().map(|it| (&*it.invariant, &*it.key)).collect();
    assert_eq!(broken, [("money_as_told", COMPLETED), ("money_settled", COMPLETED)]);
}

fn refusal(dir: &Path) -> String {
    verify_dir(dir, &()).expect_err("it is refused").to_string()
}

#[tokio::test]
async fn what_is_no_shops_directory_is_refused_by_name_and_with_what_to_do() {
    let dir = on_disk(&every_story().freeze()).await;
    let path = dir.path();

    assert!(refusal(&path.join("elsewhere")).contains("elsewhere: there is no such directory; give the one"));
    let empty = tempfile::tempdir().expect("a directory");
    assert!(refusal(empty.path()).contains("is not a shop's data directory: order.db is not there; give the one"));

    let email = Connection::open(path.join("email.db")).expect("a store");
    email.pragma_update(None, "user_version", 9).expect("a newer version");
    let why = refusal(path);
    assert!(why.contains("email.db was written by a newer build (version 9, this build reads 1)"), "{why}");
    email.pragma_update(None, "user_version", 1).expect("as before");

    let mailbox = path.join("world/mailbox.db");
    let book = Connection::open(&mailbox).expect("a book");
    book.pragma_update(None, "application_id", 7).expect("another program's");
    let why = refusal(path);
    assert!(why.contains("mailbox.db is a database, but not one of a shop: give another directory"), "{why}");
    drop(book);

    fs::write(&mailbox, "this is no database, and it is long enough to be read as the header of one. ".repeat(9))
        .expect("written");
    let why = refusal(path);
    assert!(why.contains("mailbox.db cannot be read") && why.contains("restore it"), "{why}");
    fs::remove_file(&mailbox).expect("removed");
    let why = refusal(path);
    assert!(why.contains("world/mailbox.db is not there"), "{why}");
}
