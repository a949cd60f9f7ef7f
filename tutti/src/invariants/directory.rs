//! The evidence in a data directory, of a shop that is at work or stopped: one SQLite file per service, and the outside
//! world's books beside them.

use super::{
    Report,
    evidence::{Books, Entry, Evidence, Message, Parcel, Progress, SERVICES, VerifyError},
    verify,
};
use runtime::{Read, store::SqliteRead};
use rusqlite::{Connection, OpenFlags, Row, params};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Where in the directory the outside world keeps its books.
const WORLD: &str = "world";
/// What marks a service's file, and the newest shape of its tables that this program reads.
const STORE: (i64, i64) = (runtime::store::APPLICATION_ID, runtime::store::SCHEMA_VERSION);
/// The newest format of a book that this program reads; books carry no mark.
const BOOK: (i64, i64) = (0, 1);

/// Holds a shop's data directory against every invariant. It is only read, and the shop may be at work.
///
/// # Errors
/// When it is no shop's directory, or a file in it cannot be read. What is read and wrong is a violation in the report.
pub fn verify_dir(dir: &Path, progress: &dyn Progress) -> Result<Report, VerifyError> {
    if !dir.is_dir() {
        return Err(VerifyError::NoDirectory { path: dir.display().to_string() });
    }
    let open = |service: &str| open_store(dir, &format!("{service}.db"));
    let [order, inventory, payment, shipping, email] = SERVICES.map(open);
    let (order, inventory, payment, shipping, email) = (order?, inventory?, payment?, shipping?, email?);
    let stores: [&dyn Read; 5] = [&order, &inventory, &payment, &shipping, &email];
    let books = Files {
        gateway: open_book(dir, "gateway.db")?,
        carrier: open_book(dir, "carrier.db")?,
        mailbox: open_book(dir, "mailbox.db")?,
    };
    verify(&Evidence { stores, books: &books, promised: &[] }, progress)
}

fn open_store(dir: &Path, file: &str) -> Result<SqliteRead, VerifyError> {
    let (path, _) = open_file(dir, PathBuf::from(file), STORE)?;
    SqliteRead::open(&path).map_err(|error| unusable(&path, &error.to_string()))
}

fn open_book(dir: &Path, file: &str) -> Result<Connection, VerifyError> {
    Ok(open_file(dir, Path::new(WORLD).join(file), BOOK)?.1)
}

/// Opens a file for reading, after a look at what it is.
fn open_file(dir: &Path, file: PathBuf, (mark, newest): (i64, i64)) -> Result<(PathBuf, Connection), VerifyError> {
    let path = dir.join(&file);
    if !path.is_file() {
        let (path, missing) = (dir.display().to_string(), file.display().to_string());
        return Err(VerifyError::NotAShop { path, missing });
    }
    let damaged = |e: rusqlite::Error| unusable(&path, &format!("cannot be read: {e}; if it is damaged, restore it"));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(&path, flags).map_err(damaged)?;
    db.busy_timeout(Duration::from_secs(5)).map_err(damaged)?;
    let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (found, version) = (pragma("application_id").map_err(damaged)?, pragma("user_version").map_err(damaged)?);
    if found != mark || version == 0 {
        return Err(unusable(&path, "is a database, but not one of a shop: give another directory"));
    }
    if version > newest {
        let why = format!("was written by a newer build (version {version}, this build reads {newest}): use that one");
        return Err(unusable(&path, &why));
    }
    Ok((path, db))
}

fn unusable(path: &Path, why: &str) -> VerifyError {
    VerifyError::Unusable { file: path.display().to_string(), why: why.to_owned() }
}

/// The three books.
struct Files {
    gateway: Connection,
    carrier: Connection,
    mailbox: Connection,
}

impl Books for Files {
    fn entries(&self, after: i64, limit: usize) -> Result<Vec<Entry>, String> {
        let sql = "SELECT id, order_id, kind = 1, code IS NULL, amount_minor, currency FROM entry";
        page(&self.gateway, sql, after, limit, |row| {
            Ok(Entry {
                id: row.get(0)?,
                order_id: row.get(1)?,
                refund: row.get(2)?,
                succeeded: row.get(3)?,
                amount_minor: row.get(4)?,
                currency: row.get(5)?,
            })
        })
    }

    fn parcels(&self, after: i64, limit: usize) -> Result<Vec<Parcel>, String> {
        let sql = "SELECT id, order_id, out_at IS NOT NULL, delivered_at IS NOT NULL, void_at IS NOT NULL, under_way FROM parcel";
        page(&self.carrier, sql, after, limit, |row| {
            Ok(Parcel {
                id: row.get(0)?,
                order_id: row.get(1)?,
                out: row.get(2)?,
                delivered: row.get(3)?,
                void: row.get(4)?,
                under_way: row.get(5)?,
            })
        })
    }

    fn messages(&self, after: i64, limit: usize) -> Result<Vec<Message>, String> {
        let sql = "SELECT id, order_id, sms, template, message_id FROM message";
        page(&self.mailbox, sql, after, limit, |row| {
            Ok(Message {
                id: row.get(0)?,
                order_id: row.get(1)?,
                sms: row.get(2)?,
                template: row.get(3)?,
                message_id: row.get(4)?,
            })
        })
    }
}

fn page<R>(
    book: &Connection,
    select: &str,
    after: i64,
    limit: usize,
    read: fn(&Row) -> rusqlite::Result<R>,
) -> Result<Vec<R>, String> {
    let rows = || {
        let mut statement = book.prepare_cached(&format!("{select} WHERE id > ?1 ORDER BY id LIMIT ?2"))?;
        statement.query_map(params![after, limit], read)?.collect::<rusqlite::Result<Vec<R>>>()
    };
    rows().map_err(|error: rusqlite::Error| error.to_string())
}
