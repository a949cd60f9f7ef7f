//! The data directory: one shop's files, used by one process at a time.

use super::StartError;
use std::{
    fs::{self, File, TryLockError},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

/// Held by the process that uses the directory; the lock ends with the process, however it ends.
const LOCK: &str = "tutti.lock";
/// What the lock's file holds once the shop was open.
const WAS_OPEN: &[u8] = b"This shop was open. From then on it has all its files.\n";
/// All files of a shop that was open once. Each knows what the others do not: with an empty one in its place orders
/// would be lost, repeated requests placed again, or money taken twice.
const FILES: [&str; 10] = [
    SECRET,
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
/// What order ids are derived from.
pub(super) const SECRET: &str = "shop.secret";

/// A data directory that nobody else uses.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: File,
}

impl DataDir {
    /// Takes the directory, making it when it is not there.
    ///
    /// # Errors
    /// When it is in use, holds something else, or cannot be written.
    pub fn open(path: &Path) -> Result<DataDir, StartError> {
        let unusable = |why: String| StartError::Data(format!("the data directory {} {why}", path.display()));
        refuse_foreign(path).map_err(unusable)?;
        fs::create_dir_all(path).map_err(|e| unusable(format!("cannot be made: {e}; give another one with --data")))?;
        let lock = File::options().create(true).truncate(false).write(true).open(path.join(LOCK));
        let lock = lock.map_err(|e| unusable(format!("cannot be written: {e}; give another one with --data")))?;
        match lock.try_lock() {
            Ok(()) => Ok(DataDir { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(unusable(
                "is in use by another tutti process: stop that one, or give another directory with --data".into(),
            )),
            Err(TryLockError::Error(e)) => {
                Err(unusable(format!("cannot be locked: {e}; give another one with --data")))
            }
        }
    }

    /// Nothing that is gone is quietly begun anew.
    ///
    /// # Errors
    /// Names the first file that is missing or empty, although the shop was open before.
    pub fn refuse_lost_files(&self) -> Result<(), StartError> {
        let is_empty = |path: &Path| fs::metadata(path).map_or(true, |file| file.len() == 0);
        if is_empty(&self.file(LOCK)) {
            return Ok(());
        }
        match FILES.iter().map(|name| self.file(name)).find(|path| is_empty(path)) {
            None => Ok(()),
            Some(lost) => Err(StartError::Data(format!(
                "{} is missing or empty, although this shop was open before: restore the whole directory from a backup, \
                 or begin anew with `tutti reset`",
                lost.display()
            ))),
        }
    }

    /// Notes that the shop has all its files, before it takes the first order.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn note_complete(&self) -> Result<(), StartError> {
        let written = (&self.lock).write_all(WAS_OPEN);
        written.map_err(|e| StartError::Data(format!("{} cannot be written: {e}", self.file(LOCK).display())))
    }

    /// A file or folder in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// A directory with files, but without a shop, belongs to somebody else.
fn refuse_foreign(path: &Path) -> Result<(), String> {
    match fs::read_dir(path) {
        Ok(mut entries) => match entries.next() {
            Some(_) if !path.join(LOCK).exists() => {
                Err("holds files, but no shop: give an empty or a new directory with --data".into())
            }
            _ => Ok(()),
        },
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(format!("cannot be read: {e}; give another one with --data")),
    }
}
