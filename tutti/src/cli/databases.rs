//! `tutti databases create`: a job for an administrator, so that no service needs the right to create anything.

use super::setting::required;
use crate::{failure::Failure, screen::Screen, shop::SERVICES};
use runtime::{
    StoreError,
    store::postgres::{Account, provision},
};
use serde_json::{Value, json};

/// Where the administrator reaches the server.
const ADMIN: &str = "ADMIN_DATABASE_URL";
/// Those whose databases are made. The keyring's role is shared by the services that seal or open personal data; who
/// does not know its password, such as inventory, has no way in.
const KEYRING: &str = "keyring";

/// Makes the databases and roles that are not there yet.
pub(super) async fn create(screen: &Screen) -> Result<(), Failure> {
    let admin = required(ADMIN, "postgres://postgres:PASSWORD@postgres:5432/postgres")?;
    // All settings are read before anything is made.
    let names = SERVICES.into_iter().chain([KEYRING]);
    let accounts: Vec<(String, Account)> = names.map(account).collect::<Result<_, _>>()?;
    distinct(&accounts)?;
    for (_, account) in &accounts {
        let (admin, account, tokio) = (admin.clone(), account.clone(), tokio::runtime::Handle::current());
        // The store's calls block the threads that make them.
        let made =
            tokio::task::spawn_blocking(move || provision(&admin, &account.name, &account.password, tokio)).await;
        made.map_err(|error| Failure::NotSo(format!("a database could not be made: {error}")))?.map_err(failure)?;
    }
    tell(&accounts, screen)
}

fn account(of: &str) -> Result<(String, Account), Failure> {
    let setting = format!("{}_DATABASE_URL", of.to_uppercase());
    let url = required(&setting, &format!("postgres://{of}:PASSWORD@postgres:5432/{of}"))?;
    let account = Account::named(&setting, &url).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok((setting, account))
}

/// Two services with one database would read each other's tables as their own.
fn distinct(accounts: &[(String, Account)]) -> Result<(), Failure> {
    for (at, (setting, account)) in accounts.iter().enumerate() {
        if let Some((other, _)) = accounts.iter().take(at).find(|(_, other)| other.name == account.name) {
            let name = &account.name;
            let wrong = format!("{setting} and {other} both name the database {name}: each service needs its own");
            return Err(Failure::Usage(wrong));
        }
    }
    Ok(())
}

fn failure(error: StoreError) -> Failure {
    match error {
        StoreError::Outage(why) => Failure::Away(format!("the administrator's server is away: {why}")),
        error => Failure::NotSo(error.to_string()),
    }
}

fn tell(accounts: &[(String, Account)], screen: &Screen) -> Result<(), Failure> {
    let names: Vec<&str> = accounts.iter().map(|(_, account)| account.name.as_str()).collect();
    if screen.json {
        let databases: Vec<Value> = names.iter().map(|name| json!({ "database": name, "role": name })).collect();
        return screen.document(&json!({ "databases": databases }));
    }
    names.iter().try_for_each(|name| screen.say(format!("{name}  the database and its role are there")))
}
