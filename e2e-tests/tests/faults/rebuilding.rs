//! What was lost for good comes back: a broker's topics from the services' logs, a service's database from its topic.

use crate::{customers::Customers, deployed::Deployed, real_servers::RealServers};

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_were_lost_under_load_are_filled_again_and_nothing_is_lost() {
    let Some(servers) = RealServers::taken().await else { return };
    let Some(mut shop) = Deployed::new(&[]).await else { return };
    shop.open().await;
    let mut accepted = vec![];
    for filled_by_the_job in [true, false] {
        // A broker that was gone counts its leaders' epochs on; in new topics it counts from the beginning.
        servers.kill("kafka").await;
        servers.start("kafka").await;
        let customers = Customers::come_after(&shop.client(), accepted.len());
        customers.have_ordered(20).await;
        shop.site.servers.delete_topics().await;
        shop.site.servers.create_topics().await;
        customers.have_ordered(20).await;
        accepted.extend(customers.leave().await);
        if filled_by_the_job {
            shop.job(&["republish", "--json"]).await;
        }
        shop.ready().await;
    }
    shop.all_is_right(&accepted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_database_was_lost_refuses_to_run_until_it_is_recovered_from_its_topic() {
    let Some(_servers) = RealServers::taken().await else { return };
    let Some(mut shop) = Deployed::new(&[]).await else { return };
    shop.open().await;
    let mut accepted = vec![];
    for name in ["payment", "order"] {
        let customers = Customers::come_after(&shop.client(), accepted.len());
        shop.says_more(name).await;
        shop.site.process(name).kill().await;
        shop.published_by(name).await;
        shop.site.servers.empty_database(name).await;
        refuses_and_is_recovered(&mut shop, name).await;
        customers.have_ordered(20).await;
        accepted.extend(customers.leave().await);
    }
    shop.ready().await;
    shop.all_is_right(&accepted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_restored_from_an_older_backup_is_recovered_likewise() {
    let Some(_servers) = RealServers::taken().await else { return };
    let Some(mut shop) = Deployed::new(&[]).await else { return };
    shop.open().await;
    let customers = Customers::come_after(&shop.client(), 0);
    for name in ["shipping", "inventory"] {
        shop.says_more(name).await;
        shop.site.process(name).kill().await;
        shop.site.servers.back_up(name).await;
        shop.site.process(name).start();
        shop.site[name].ready().await;
        shop.says_more(name).await;
        shop.site.process(name).kill().await;
        shop.published_by(name).await;
        shop.site.servers.restore(name).await;
        refuses_and_is_recovered(&mut shop, name).await;
    }
    customers.have_ordered(20).await;
    let accepted = customers.leave().await;
    shop.ready().await;
    shop.all_is_right(&accepted).await;
}

/// Numbers that everybody has read are never given again, so it does not run before it knows what it said.
async fn refuses_and_is_recovered(shop: &mut Deployed, name: &'static str) {
    shop.site.process(name).start();
    let ended = shop.site.process(name).ended().await;
    let (log, what_to_do) = (shop.site[name].log(), format!("Run `tutti recover --service {name}`"));
    assert!(!ended.success() && log.contains(&what_to_do), "{name}: {ended}: {log}");
    shop.job(&["recover", "--service", name, "--json"]).await;
    shop.site.process(name).start();
}
