//! What a service's setting says of its database, as far as somebody else must know it to make that database.

use super::{not_a_url, parsed};
use crate::store::StoreError;
use std::fmt;

/// A database and its owner, which have one name.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The name of both.
    pub name: String,
    /// The owner's password.
    pub password: String,
}

impl Account {
    /// The account in `url`, which is the value of this setting.
    ///
    /// # Errors
    /// [`StoreError::Fatal`] when it is no URL of a PostgreSQL database, names user and database differently, or has no
    /// password.
    pub fn named(setting: &str, url: &str) -> Result<Account, StoreError> {
        let config = parsed(setting, url)?;
        let wrong = |why: &str| Err(not_a_url(setting, why));
        let (Some(name), Some(password)) = (config.get_user(), config.get_password()) else {
            return wrong("it names no user or no password");
        };
        if config.get_dbname() != Some(name) {
            return wrong("its user and its database must have the same name, because the user owns the database");
        }
        // The server's bound; it would silently cut off the rest.
        if name.len() > 63 {
            return wrong("the name of a database is at most 63 bytes long");
        }
        let password = String::from_utf8(password.to_vec());
        password.map_or_else(
            |_| wrong("its password is no text"),
            |password| Ok(Account { name: name.to_owned(), password }),
        )
    }
}

impl fmt::Debug for Account {
    /// Never the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_names_database_owner_and_password() {
        let account = Account::named("ORDER_DATABASE_URL", "postgres://order:p%40ss@db:5432/order").unwrap();
        assert_eq!((account.name.as_str(), account.password.as_str()), ("order", "p@ss"));
        assert!(!format!("{account:?}").contains("p@ss"));
    }

    #[test]
    fn what_cannot_be_made_is_refused_with_the_setting_s_name_and_without_the_password() {
        for (url, why) in [
            ("order", "cannot be used"),
            ("postgres://order:hunter2@db:5432", "names no database"),
            ("postgres://order@db/order", "no password"),
            ("postgres://order:hunter2@db/shop", "the same name"),
        ] {
            let refused = Account::named("ORDER_DATABASE_URL", url).unwrap_err().to_string();
            let named = refused.starts_with("ORDER_DATABASE_URL ") && refused.contains(why);
            assert!(named && !refused.contains("hunter2"), "{url}: {refused}");
        }
    }
}
