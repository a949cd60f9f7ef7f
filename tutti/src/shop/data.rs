//! The data directory: one shop's files, used by one process at a time.

use super::StartError;
use std::{
    fs::{self, File, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Held by the process that uses the directory; the lock ends with the process, however it ends.
const LOCK: &str = "tutti.lock";
/// What order ids are derived from.
pub(super) const SECRET: &str = "shop.secret";

/// A data directory that nobody else uses.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
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
            Ok(()) => Ok(DataDir { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(unusable(
                "is in use by another tutti process: stop that one, or give another directory with --data".into(),
            )),
            Err(TryLockError::Error(e)) => {
                Err(unusable(format!("cannot be locked: {e}; give another one with --data")))
            }
        }
    }

    /// With another secret than before, a repeated request would place its order a second time.
    ///
    /// # Errors
    /// When there are orders, but no secret.
    pub fn refuse_lost_secret(&self) -> Result<(), StartError> {
        let lost = self.file("order.db").exists() && !self.file(SECRET).exists();
        let why = || {
            format!(
                "{} is missing, although there are orders: restore it from a backup, or begin anew with `tutti reset`",
                self.file(SECRET).display()
            )
        };
        if lost { Err(StartError::Data(why())) } else { Ok(()) }
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
