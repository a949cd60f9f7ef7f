//! What is promised of the file itself: it survives, and what is no store of ours is refused by name.

use runtime::store::{Batch, Read, SqliteRead, SqliteStore, Store, StoreError};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Why the file is refused; the message must name it, and say what to do.
fn refusal(path: &Path) -> String {
    match SqliteStore::open(path, 1) {
        Ok(_) => panic!("{} was taken", path.display()),
        Err(StoreError::Fatal(why)) => {
            assert!(why.contains(&path.display().to_string()), "does not name the file: {why}");
            assert!(why.contains("--data"), "does not say what to do: {why}");
            why
        }
        Err(other) => panic!("not fatal: {other:?}"),
    }
}

fn write_foreign(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn everything_is_there_after_a_process_died() {
    let folder = folder();
    let path = folder.path().join("desk.db");
    let mut first = SqliteStore::open(&path, 42).unwrap();
    let lead = first.begin_reign("here", 1).unwrap();
    for n in 0..20 {
        let batch = Batch { lead: runtime::store::Lead { commits: n, ..lead }, published: n, ..Batch::default() };
        first.commit(&batch).unwrap();
    }
    // A dying process closes nothing: the file and its log are copied as they lie there.
    let copy = folder.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    let lead = SqliteStore::open(&copy.join("desk.db"), 99).unwrap().begin_reign("here", 1).unwrap();
    assert_eq!((lead.generation, lead.epoch, lead.commits, lead.published), (42, 2, 20, 19));
}

#[test]
fn the_generation_is_given_once() {
    let folder = folder();
    let path = folder.path().join("desk.db");
    drop(SqliteStore::open(&path, 42).unwrap());
    drop(SqliteStore::open(&path, 43).unwrap());
    assert_eq!(SqliteRead::open(&path).unwrap().lead().unwrap().generation, 42);
}

#[test]
fn a_foreign_database_is_refused_and_left_alone() {
    let folder = folder();
    let path = folder.path().join("other.db");
    write_foreign(&path, "CREATE TABLE theirs (id INTEGER); INSERT INTO theirs VALUES (7)");
    assert!(refusal(&path).contains("not one of tutti"));
    let db = rusqlite::Connection::open(&path).unwrap();
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    let mode: String = db.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!((tables, mode.as_str()), (1, "delete"), "nothing of it was changed");
}

#[test]
fn a_foreign_database_without_tables_is_refused() {
    let folder = folder();
    let path = folder.path().join("other.db");
    write_foreign(&path, "PRAGMA application_id = 7; PRAGMA user_version = 3");
    assert!(refusal(&path).contains("not one of tutti"));
}

#[test]
fn a_newer_schema_is_refused() {
    let folder = folder();
    let path = folder.path().join("desk.db");
    drop(SqliteStore::open(&path, 1).unwrap());
    write_foreign(&path, "PRAGMA user_version = 999");
    let why = refusal(&path);
    assert!(why.contains("newer build") && why.contains("999"), "{why}");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = folder();
    let path = folder.path().join("desk.db");
    fs::write(&path, "dear diary, ".repeat(1000)).unwrap();
    assert!(refusal(&path).contains("not a database"));
    assert_eq!(fs::read_to_string(&path).unwrap().len(), 12_000, "it was left alone");
}

#[test]
fn a_directory_in_its_place_is_refused() {
    let folder = folder();
    let path = folder.path().join("desk.db");
    fs::create_dir(&path).unwrap();
    refusal(&path);
}

#[test]
fn a_missing_folder_is_named() {
    let folder = folder();
    refusal(&folder.path().join("nowhere/desk.db"));
}

/// The privileged may write what is read-only, so there the test has nothing to see.
fn read_only(path: &Path) -> bool {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(path, permissions).unwrap();
    fs::OpenOptions::new().append(true).open(path).is_err()
}

#[test]
fn a_read_only_file_is_refused() {
    let folder = folder();
    let path: PathBuf = folder.path().join("desk.db");
    drop(SqliteStore::open(&path, 1).unwrap());
    if read_only(&path) {
        refusal(&path);
    } else {
        println!("not tried: this user may write read-only files");
    }
}

#[test]
fn a_damaged_file_is_refused_or_fails_fatally() {
    let folder = folder();
    let path = folder.path().join("desk.db");
    drop(SqliteStore::open(&path, 1).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..].fill(0xEE);
    fs::write(&path, bytes).unwrap();
    let begun = SqliteStore::open(&path, 1).and_then(|mut store| store.begin_reign("here", 1));
    assert!(matches!(begun, Err(StoreError::Fatal(_))), "{begun:?}");
}

#[test]
fn a_reader_needs_a_store_that_is_there() {
    let folder = folder();
    let path = folder.path().join("desk.db");
    match SqliteRead::open(&path) {
        Ok(_) => panic!("a store was read that is not there"),
        Err(error) => assert!(error.to_string().contains("desk.db"), "{error}"),
    }
    assert!(!path.exists(), "a reader creates nothing");
}
