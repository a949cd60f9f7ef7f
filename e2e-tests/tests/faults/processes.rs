//! Each service is killed and paused in turn under load; one has a standby, which takes over.

use crate::{customers::Customers, deployed::Deployed, real_servers::RealServers, wait::until};
use tutti::shop::SERVICES;

#[tokio::test(flavor = "multi_thread")]
async fn each_service_is_killed_and_paused_under_load_and_nothing_is_lost() {
    let Some(_servers) = RealServers::taken().await else { return };
    let Some(mut shop) = Deployed::new(&[]).await else { return };
    shop.open().await;
    let customers = Customers::come(&shop.client());
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
    let customers = Customers::come(&shop.client());
    for name in ["payment", "inventory"] {
        let mut standby = shop.site.replica(name);
        standby.start();
        until("it stands by", || async { standby.status().await["led_by"].is_string().then_some(()) }).await;
        customers.have_ordered(10).await;
        shop.site[name].pause().await;
        until("the standby leads", || async { standby.status().await["led_by"].is_null().then_some(()) }).await;
        customers.have_ordered(10).await;
        shop.site[name].resume().await;
        until("the old leader stands by", || async {
            shop.site[name].status().await["led_by"].is_string().then_some(())
        })
        .await;
        standby.kill().await;
        until("it leads again", || async { shop.site[name].status().await["led_by"].is_null().then_some(()) }).await;
    }
    let accepted = customers.leave().await;
    shop.ready().await;
    shop.all_is_right(&accepted).await;
}
