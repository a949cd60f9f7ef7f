//! A simulator's durable book: one SQLite file of its own.

use crate::line::NoAnswer;
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The format of all three books. It is stored in each file; a file of a later version is refused.
const VERSION: i64 = 1;

/// Why the outside world cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting is out of its range.
    #[error("the faults of the outside world: {0}")]
    Faults(#[from] crate::BadFault),
    /// There is no async runtime to deliver the carrier's reports on.
    #[error("the outside world must be opened inside an async runtime: {0}")]
    NoRuntime(#[from] tokio::runtime::TryCurrentError),
    /// The directory cannot be made.
    #[error("cannot make the directory {}: {cause}; choose one that can be written", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file cannot be used.
    #[error("cannot use the book {}: {cause}; if it is damaged, restore it or move it away", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: rusqlite::Error,
    },
    /// The file was written by a later version of this program.
    #[error("the book {} has format {found}, this program knows {VERSION}: use the newer program", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
    /// The writer thread cannot be started.
    #[error("cannot start the thread that writes {book}: {cause}")]
    Thread {
        /// Whose book.
        book: &'static str,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// Opens a book for its one writer and makes its tables if it is new.
pub(crate) fn open(path: &Path, tables: &str) -> Result<Connection, OpenError> {
    let failed = |cause| OpenError::File { path: path.to_owned(), cause };
    let book = Connection::open(path).map_err(failed)?;
    prepare(&book).map_err(failed)?;
    let found: i64 = book.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    match found {
        0 => create(&book, tables).map_err(failed)?,
        VERSION => {}
        _ => return Err(OpenError::Newer { path: path.to_owned(), found }),
    }
    Ok(book)
}

/// A commit must be on the disk before the shop hears of it, hence `synchronous=FULL`: in WAL mode the weaker settings
/// lose the last commits with the power.
fn prepare(book: &Connection) -> rusqlite::Result<()> {
    book.busy_timeout(Duration::from_secs(10))?;
    // A cached statement keeps its plan. Otherwise SQLite looks at the bound values and prepares it again for new ones,
    // which costs more than running it.
    book.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    book.pragma_update(None, "journal_mode", "WAL")?;
    book.pragma_update(None, "synchronous", "FULL")?;
    book.pragma_update(None, "wal_autocheckpoint", 8_000)?;
    book.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // Negative means KiB: at most 16 MiB of pages in memory.
    book.pragma_update(None, "cache_size", -4_096)?;
    book.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn create(book: &Connection, tables: &str) -> rusqlite::Result<()> {
    book.execute_batch(&format!("BEGIN IMMEDIATE; {tables} PRAGMA user_version = {VERSION}; COMMIT;"))
}

/// Reads a book beside its writer, a page at a time.
#[derive(Clone, Debug)]
pub(crate) struct Reader(Arc<Mutex<Connection>>);

impl Reader {
    pub(crate) fn open(path: &Path) -> Result<Reader, OpenError> {
        let failed = |cause| OpenError::File { path: path.to_owned(), cause };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let book = Connection::open_with_flags(path, flags).map_err(failed)?;
        book.busy_timeout(Duration::from_secs(10)).map_err(failed)?;
        Ok(Reader(Arc::new(Mutex::new(book))))
    }

    /// Runs `query` off the async threads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let book = Arc::clone(&self.0);
        let read = move || query(&book.lock().unwrap_or_else(PoisonError::into_inner));
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(cause)) => Err(NoAnswer::Broken(format!("the book cannot be read: {cause}"))),
            Err(cause) => Err(NoAnswer::Broken(format!("the book was not read: {cause}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_of_a_later_format_is_refused() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("a.db");
        drop(open(&path, "CREATE TABLE t(x);").expect("new"));
        drop(open(&path, "CREATE TABLE t(x);").expect("again"));
        Connection::open(&path).expect("open").pragma_update(None, "user_version", 9).expect("set");
        let refused = open(&path, "CREATE TABLE t(x);").expect_err("newer");
        assert!(matches!(&refused, OpenError::Newer { found: 9, .. }), "{refused}");
    }

    #[test]
    fn a_file_that_is_no_book_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("gateway.db");
        std::fs::write(&path, "this is no database, and it is long enough to be read as a header of one")
            .expect("write");
        let refused = open(&path, "CREATE TABLE t(x);").expect_err("garbage").to_string();
        assert!(refused.contains("gateway.db"), "{refused}");
    }
}
