//! A value that does not change any more: cheap to copy, hashed once, compared by its hash.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

/// A value and its hash. Two values of one hash are taken for equal, as the checker itself does with whole states.
pub struct Fixed<T>(Arc<(u64, T)>);

/// The same in every run.
pub fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl<T: Hash> From<T> for Fixed<T> {
    fn from(value: T) -> Fixed<T> {
        Fixed(Arc::new((hash_of(&value), value)))
    }
}

impl<T> Fixed<T> {
    /// The value's hash.
    pub fn hash_value(&self) -> u64 {
        self.0.0
    }
}

impl<T> Deref for Fixed<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0.1
    }
}

impl<T> Clone for Fixed<T> {
    fn clone(&self) -> Fixed<T> {
        Fixed(Arc::clone(&self.0))
    }
}

impl<T> PartialEq for Fixed<T> {
    fn eq(&self, other: &Fixed<T>) -> bool {
        self.0.0 == other.0.0
    }
}

impl<T> Eq for Fixed<T> {}

impl<T> Hash for Fixed<T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.0.hash(hasher);
    }
}

impl<T: fmt::Debug> fmt::Debug for Fixed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.1.fmt(f)
    }
}
