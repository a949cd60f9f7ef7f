//! What keeps a shop from opening: each is named with what to do about it, and nothing is damaged.

use crate::{
    program::{Ran, run, tutti, up},
    request::tea,
    shop::Shop,
};
use rusqlite::Connection;
use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
};
use tempfile::tempdir;

/// The files of a shop.
const FILES: [&str; 10] = [
    "shop.secret",
    "keyring.db",
    "order.db",
    "inventory.db",
    "payment.db",
    "shipping.db",
    "email.db",
    "world/gateway.db",
    "world/carrier.db",
    "world/mailbox.db",
];

/// Every file under a folder with what it holds, except for SQLite's shared memory, which is no content.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else if path.extension().is_none_or(|extension| extension != "db-shm") {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

/// A directory with one order in it that is over, closed in an orderly way.
async fn used_directory() -> Shop {
    let mut shop = Shop::open(&["--world=carrier.transit_ms=10", "--world=carrier.pick_up_ms=10"]).await;
    let id = shop.client.placed("k-1", &tea("ada")).await;
    shop.client.settled(&id).await;
    shop.close().await;
    for file in FILES.iter().filter(|file| file.ends_with(".db")) {
        // What lies in a write-ahead log would mend a damaged file.
        let db = Connection::open(shop.data().join(file)).unwrap();
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    }
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_in_use_is_left_alone() {
    let shop = Shop::open(&[]).await;
    let data = shop.data();
    let path = data.to_str().unwrap();
    up(&data).await.refused(4, &[path, "is in use by another tutti process", "--data"]);
    run(tutti(&["reset", "--yes", "--data", path])).await.refused(4, &[path, "is in use", "nothing was deleted"]);
    let id = shop.client.placed("k-1", &tea("ada")).await;
    assert_eq!(shop.client.settled(&id).await["state"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_cannot_be_had_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let (taken, path) = (taken.local_addr().unwrap().to_string(), data.to_str().unwrap());
    // The second is an address that documents may use and no machine has.
    for listen in [taken.as_str(), "192.0.2.1:8080"] {
        run(tutti(&["up", "--data", path, "--listen", listen])).await.refused(4, &[listen, "--listen"]);
        assert!(!data.exists(), "it made {path} all the same");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_shops_directory_is_left_alone() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    fs::write(folder.path().join("order.db"), "not a database").unwrap();
    let before = contents(folder.path());
    let path = folder.path().to_str().unwrap();
    up(folder.path()).await.refused(4, &[path, "holds files, but no shop", "--data"]);
    run(tutti(&["reset", "--yes", "--data", path])).await.refused(4, &[path, "nothing was deleted"]);
    assert_eq!(contents(folder.path()), before);

    let file = folder.path().join("thesis.txt");
    for path in [file.clone(), file.join("below")] {
        up(&path).await.refused(4, &[path.to_str().unwrap(), "--data"]);
    }
    assert_eq!(contents(folder.path()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_named_and_not_damaged_further() {
    let shop = used_directory().await;
    let garbage = b"This is not what it was. ".repeat(400);
    for file in FILES {
        let path = shop.data().join(file);
        let good = fs::read(&path).unwrap();
        let truncated = &good[..good.len() / 2];
        for bad in [garbage.as_slice(), truncated] {
            fs::write(&path, bad).unwrap();
            let ran = up(&shop.data()).await;
            assert_eq!(fs::read(&path).unwrap(), bad, "{file} was changed");
            ran.refused(4, &[path.to_str().unwrap()]);
        }
        fs::write(&path, good).unwrap();
    }
    opens_again(shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_is_not_replaced_by_an_empty_one() {
    let shop = used_directory().await;
    for file in FILES {
        let path = shop.data().join(file);
        let good = fs::read(&path).unwrap();
        for emptied in [false, true] {
            if emptied {
                fs::write(&path, "").unwrap()
            } else {
                fs::remove_file(&path).unwrap()
            }
            up(&shop.data()).await.refused(4, &[path.to_str().unwrap(), "restore", "tutti reset"]);
            assert_eq!(fs::read(&path).ok(), emptied.then(Vec::new), "{file} was begun anew");
        }
        fs::write(&path, good).unwrap();
    }
    opens_again(shop).await;
}

/// Nothing was damaged by all the tries: the shop opens, and knows its order.
async fn opens_again(mut shop: Shop) {
    shop.start().await;
    assert_eq!(shop.client.all("/orders?state=completed", "items").await.len(), 1);
    shop.client.place("k-1", &tea("ada")).await.expect(202);
    assert_eq!(shop.client.all("/orders", "items").await.len(), 1);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_of_a_newer_program_is_left_alone() {
    let shop = used_directory().await;
    for file in ["order.db", "shipping.db", "world/carrier.db"] {
        let path = shop.data().join(file);
        let set = |version: i64| Connection::open(&path).unwrap().pragma_update(None, "user_version", version).unwrap();
        let version: i64 =
            Connection::open(&path).unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        set(99);
        up(&shop.data()).await.refused(4, &[path.to_str().unwrap(), "99", "newer"]);
        set(version);
    }
    let foreign = shop.data().join("email.db");
    let mine: i64 =
        Connection::open(&foreign).unwrap().pragma_query_value(None, "application_id", |row| row.get(0)).unwrap();
    Connection::open(&foreign).unwrap().pragma_update(None, "application_id", 7).unwrap();
    up(&shop.data()).await.refused(4, &[foreign.to_str().unwrap(), "not one of tutti", "--data"]);
    Connection::open(&foreign).unwrap().pragma_update(None, "application_id", mine).unwrap();
    opens_again(shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_make_no_sense_are_named() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let up =
        async |args: &[&str]| run(tutti(&[&["up", "--data", data, "--listen", "127.0.0.1:0"], args].concat())).await;
    for (args, named) in [
        (&["--order-deadline=soon"][..], "--order-deadline"),
        (&["--order-deadline=-1s"], "--order-deadline"),
        (&["--order-deadline=99999999999999999999s"], "--order-deadline"),
        (&["--order-deadline=5000000000h"], "--order-deadline"),
        (&["--pick-up=1 fortnight"], "--pick-up"),
        (&["--pick-up=5000000000h"], "--pick-up"),
        (&["--world=gateway.decline=2"], "gateway.decline"),
        (&["--world=gateway.decline=NaN"], "gateway.decline"),
        (&["--world=gateway.mood=bad"], "gateway.mood"),
        (&["--world=carrier.transit_ms=-1"], "carrier.transit_ms"),
        (&["--world=nonsense"], "nonsense"),
        (&["--wrld=x"], "--wrld"),
        (&["extra"], "extra"),
    ] {
        up(args).await.refused(2, &[named]);
    }
    assert!(!Path::new(data).exists(), "it made {data} all the same");
    run(tutti(&["verify", "--data", data])).await.refused(4, &[data, "tutti up"]);
    run(tutti(&["verify", "--data", folder.path().to_str().unwrap()]))
        .await
        .refused(4, &[folder.path().to_str().unwrap()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_makes_no_sense_is_named() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let with = async |name: &str, value: &str, args: &[&str]| -> Ran {
        let mut command = tutti(args);
        command.env("TUTTI_DATA", &data).env("TUTTI_LISTEN", "127.0.0.1:0").env(name, value);
        run(command).await
    };
    for value in ["nonsense", "8080", "localhost:http", "127.0.0.1:99999", ""] {
        with("TUTTI_LISTEN", value, &["up"]).await.refused(2, &["--listen", "127.0.0.1:8080"]);
    }
    for value in ["=", "info,runtime=loud", "a=b=c"] {
        with("TUTTI_LOG", value, &["up"]).await.refused(2, &["TUTTI_LOG", value, "info"]);
    }
    for value in ["nonsense", "ftp://127.0.0.1", "https://127.0.0.1:1"] {
        with("TUTTI_URL", value, &["order", "list"]).await.refused(2, &[value, "http://127.0.0.1:8080"]);
    }
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    with("TUTTI_DATA", file.to_str().unwrap(), &["up"]).await.refused(4, &[file.to_str().unwrap(), "--data"]);
    assert!(!data.exists());
}
