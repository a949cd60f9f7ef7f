//! Each service is killed and paused in turn under load; one has a standby, which takes over.

use crate::{customers::Customers, deployed::Deployed, process::Process, real_servers::RealServers, wait::until};
use serde_json::Value;
use tutti::shop::SERVICES;

#[tokio::test(flavor = "multi_thread")]
async fn each_service_is_killed_and_paused_under_load_and_nothing_is_lost() {
    let Some(_servers) = RealServers::taken().await else { return };
    let Some(mut shop) = Deployed::new(&[]).await else { return };
    shop.open().await;
    let customers = Customers::come_after(&shop.client(), 0);
    for name in SERVICES {
        customers.have_ordered(10).await;
        shop.site.process(name).kill().await;
        if name != "order" {
            customers.have_ordered(10).await;
        }
        shop.site.process(name).start();
        customers.have_ordered(10).await;
        shop.site[name].pause().await;
        if name != "order" {
            customers.have_ordered(10).await;
        }
        shop.site[name].resume().await;
    }
    let accepted = customers.leave().await;
    println!("{} orders", accepted.len());
    shop.ready().await;
    shop.all_is_right(&accepted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_leader_is_followed_by_its_standby_and_does_no_harm_when_it_goes_on() {
    let Some(_servers) = RealServers::taken().await else { return };
    let Some(mut shop) = Deployed::new(&[]).await else { return };
    shop.open().await;
    let customers = Customers::come_after(&shop.client(), 0);
    for name in ["payment", "inventory"] {
        let mut standby = shop.site.replica(name);
        standby.start();
        stands_by(&standby).await;
        customers.have_ordered(10).await;
        shop.site[name].pause().await;
        leads(&standby).await;
        customers.have_ordered(10).await;
        shop.site[name].resume().await;
        stands_by(&shop.site[name]).await;
        standby.kill().await;
        leads(&shop.site[name]).await;
    }
    let accepted = customers.leave().await;
    shop.ready().await;
    shop.all_is_right(&accepted).await;
}

async fn stands_by(process: &Process) {
    until("it stands by", || async { leader_of(process).await?.is_string().then_some(()) }).await;
}

async fn leads(process: &Process) {
    until("it leads", || async { leader_of(process).await?.is_null().then_some(()) }).await;
}

/// Whom a process takes for the leader; nothing while it does not answer.
async fn leader_of(process: &Process) -> Option<Value> {
    let answer = process.admin.try_send(process.admin.request(reqwest::Method::GET, "/status")).await.ok()?;
    Some(answer.expect(200)["led_by"].clone())
}
