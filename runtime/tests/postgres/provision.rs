//! A database and a role per service: each reaches only its own.

use crate::server::{Server, handle, unique};
use runtime::store::{Database, PostgresRead, PostgresStore, Read, Store, StoreError, postgres::provision};

/// Services with their databases and roles, dropped with the test.
struct Provisioned {
    server: Server,
    services: Vec<String>,
}

impl Drop for Provisioned {
    fn drop(&mut self) {
        for service in &self.services {
            self.server.sql("postgres", &format!(r#"DROP DATABASE IF EXISTS "{service}" WITH (FORCE)"#));
            self.server.sql("postgres", &format!(r#"DROP ROLE IF EXISTS "{service}""#));
        }
    }
}

fn begun(url: &str) -> Result<(), StoreError> {
    PostgresStore::new(Database::new(url, handle())?).begin_reign("here", 1).map(|_| ())
}

#[test]
fn a_service_leads_its_own_database_and_reaches_no_other() {
    let Some(server) = Server::of_the_environment() else { return };
    let services = vec![unique("order"), unique("inventory")];
    let all = Provisioned { server: server.clone(), services };
    let [order, inventory] = [&all.services[0], &all.services[1]];
    for service in [order, inventory] {
        provision(&server.url("postgres"), service, "pa'ss\"word", handle()).unwrap();
    }
    let url = |user: &str, database: &str| server.url_for(user, "pa'ss%22word", database);
    for service in [order, inventory] {
        begun(&url(service, service)).unwrap();
    }
    for (user, database) in [(inventory, order), (order, inventory)] {
        let Err(StoreError::Fatal(why)) = begun(&url(user, database)) else { panic!("{user} reaches {database}") };
        assert!(why.contains("permission denied") && why.contains("DATABASE_URL"), "{why}");
        let read = PostgresRead::new(Database::new(&url(user, database), handle()).unwrap());
        assert!(matches!(read.lead(), Err(StoreError::Fatal(_))));
    }
}

#[test]
fn provisioning_again_keeps_the_data_and_sets_the_password() {
    let Some(server) = Server::of_the_environment() else { return };
    let all = Provisioned { server: server.clone(), services: vec![unique("Order Service")] };
    let service = &all.services[0];
    let url = |password: &str| server.url_for(&service.replace(' ', "%20"), password, &service.replace(' ', "%20"));
    let admin = server.url("postgres");
    provision(&admin, service, "first", handle()).unwrap();
    begun(&url("first")).unwrap();
    std::thread::scope(|scope| {
        let again = || provision(&admin, service, "second", handle());
        let both = [scope.spawn(again), scope.spawn(again)];
        // The server lets only one at a time change a role, and tells the other one so.
        assert!(both.into_iter().map(|job| job.join().unwrap()).any(|done| done.is_ok()));
    });
    let read = PostgresRead::new(Database::new(&url("second"), handle()).unwrap());
    assert_eq!(read.lead().unwrap().epoch, 1);
    assert!(matches!(begun(&url("first")), Err(StoreError::Fatal(why)) if why.contains("password")));
}

#[test]
fn an_administrator_that_is_no_superuser_will_do_and_anybody_else_is_told() {
    let Some(server) = Server::of_the_environment() else { return };
    let all = Provisioned { server: server.clone(), services: vec![unique("order"), unique("admin"), unique("guest")] };
    let [service, admin, guest] = [&all.services[0], &all.services[1], &all.services[2]];
    server.sql("postgres", &format!("CREATE ROLE {admin} LOGIN CREATEDB CREATEROLE PASSWORD 'a'"));
    server.sql("postgres", &format!("CREATE ROLE {guest} LOGIN PASSWORD 'a'"));
    let refused = provision(&server.url_for(guest, "a", "postgres"), service, "secret", handle());
    assert!(matches!(&refused, Err(StoreError::Fatal(why)) if why.contains("CREATEROLE")), "{refused:?}");
    provision(&server.url_for(admin, "a", "postgres"), service, "secret", handle()).unwrap();
    begun(&server.url_for(service, "secret", service)).unwrap();
}
