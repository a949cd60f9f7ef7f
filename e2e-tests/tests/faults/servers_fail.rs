//! The database, the broker and the registry fail in turn under load, and come back.

use crate::{customers::Customers, deployed::Deployed, real_servers::RealServers};

/// How many orders are accepted before, while and after something fails.
const SOME: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn each_server_is_killed_and_paused_under_load_and_nothing_is_lost() {
    let Some(servers) = RealServers::taken().await else { return };
    let Some(mut shop) = Deployed::new(&[]).await else { return };
    shop.open().await;
    let customers = Customers::come_after(&shop.client(), 0);

    // Without its database a service says so, and takes nothing.
    customers.have_ordered(SOME).await;
    servers.kill("postgres").await;
    shop.held_up("order").await;
    servers.start("postgres").await;
    customers.have_ordered(SOME).await;
    servers.pause("postgres").await;
    shop.held_up("order").await;
    servers.resume("postgres").await;

    // Without the broker orders are taken all the same, and wait in the log.
    customers.have_ordered(SOME).await;
    servers.kill("kafka").await;
    customers.have_ordered(SOME).await;
    shop.held_up("order").await;
    servers.start("kafka").await;
    customers.have_ordered(SOME).await;
    servers.pause("kafka").await;
    customers.have_ordered(SOME).await;
    shop.held_up("order").await;
    servers.resume("kafka").await;

    // Without the registry whoever knows the schemas works on, and whoever has just begun waits for it.
    customers.have_ordered(SOME).await;
    servers.kill("registry").await;
    customers.have_ordered(SOME).await;
    shop.site.process("inventory").kill().await;
    shop.site.process("inventory").start();
    customers.have_ordered(SOME).await;
    servers.start("registry").await;
    customers.have_ordered(SOME).await;
    servers.pause("registry").await;
    shop.site.process("payment").kill().await;
    shop.site.process("payment").start();
    customers.have_ordered(SOME).await;
    servers.resume("registry").await;

    customers.have_ordered(SOME).await;
    let accepted = customers.leave().await;
    println!("{} orders", accepted.len());
    shop.ready().await;
    shop.all_is_right(&accepted).await;
}
