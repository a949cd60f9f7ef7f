//! A database and a role for each service, made by an administrator's job before the service first runs.

use super::{Database, error::describe};
use crate::store::StoreError;
use tokio::runtime::Handle;
use tokio_postgres::{Client, error::SqlState, types::Type};

/// Creates the role and the database of a service, both named after it, if they are not there, and gives the role this
/// password. The role owns its database, which nobody else may connect to; so it reaches only its own. May be repeated.
///
/// # Errors
/// [`StoreError::Fatal`] when `admin_url` is no URL of a database, or its user may not create roles and databases;
/// [`StoreError::Outage`] when the server cannot be reached.
pub fn provision(admin_url: &str, service: &str, password: &str, runtime: Handle) -> Result<(), StoreError> {
    let database = Database::named("ADMIN_DATABASE_URL", admin_url, runtime)?;
    database.block_on(async {
        let session = database.connect("tutti databases", "SET client_min_messages = warning").await?;
        // Not even the server's log gets to see the password.
        let verifier = postgres_protocol::password::scram_sha_256(password.as_bytes());
        let client = &session.client;
        let again = |e: &SqlState| *e == SqlState::DUPLICATE_OBJECT || *e == SqlState::UNIQUE_VIOLATION;
        run(client, "CREATE ROLE %1$I LOGIN", [service, ""], again).await?;
        run(client, "ALTER ROLE %1$I LOGIN PASSWORD %2$L", [service, &verifier], |_| false).await?;
        lend(client, service).await?;
        // The order of text is given column by column, so the database needs no locale of the machine's.
        let create = "CREATE DATABASE %1$I OWNER %1$I TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'";
        let again = |e: &SqlState| *e == SqlState::DUPLICATE_DATABASE || *e == SqlState::UNIQUE_VIOLATION;
        run(client, create, [service, ""], again).await?;
        run(client, "REVOKE ALL ON DATABASE %1$I FROM PUBLIC", [service, ""], |_| false).await
    })
}

/// An administrator that is no superuser may give a database only to a role that it is a member of.
async fn lend(client: &Client, service: &str) -> Result<(), StoreError> {
    let sql = "SELECT NOT rolsuper AND NOT pg_has_role($1, 'MEMBER') FROM pg_roles WHERE rolname = current_user";
    let row = client.query_typed_one(sql, &[(&service, Type::TEXT)]).await;
    let needed = row.and_then(|row| row.try_get(0)).map_err(|e| refused("look up its own rights", &e))?;
    if needed { run(client, "GRANT %1$I TO CURRENT_USER", [service, ""], |_| false).await } else { Ok(()) }
}

/// Runs a statement into which the server itself puts the names, in quotes.
async fn run(
    client: &Client,
    statement: &str,
    names: [&str; 2],
    already_done: fn(&SqlState) -> bool,
) -> Result<(), StoreError> {
    let values: [super::rows::Value; 3] = [(&statement, Type::TEXT), (&names[0], Type::TEXT), (&names[1], Type::TEXT)];
    let quoted = client.query_typed_one("SELECT format($1, $2, $3)", &values).await.and_then(|row| row.try_get(0));
    let sql: String = quoted.map_err(|e| refused(statement, &e))?;
    match client.batch_execute(&sql).await {
        Err(error) if error.code().is_some_and(already_done) => Ok(()),
        result => result.map_err(|e| refused(statement, &e)),
    }
}

fn refused(what: &str, error: &tokio_postgres::Error) -> StoreError {
    if error.as_db_error().is_none() {
        return super::error::outage(error);
    }
    StoreError::Fatal(format!(
        "the administrator's role may not or cannot `{what}` ({}): give the URL of a superuser, or of a role with \
         CREATEDB and CREATEROLE",
        describe(error)
    ))
}
