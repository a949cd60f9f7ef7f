//! SIGTERM: what was begun is finished, and the process ends well.

use crate::{audit, customers::Customers, request::tea, shop::Shop, verified};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn terminated_under_load_it_ends_well_and_nothing_is_lost() {
    let mut shop = Shop::open(&[
        "--world=gateway.slow_ms=300",
        "--world=gateway.unknown_ms=800",
        "--world=carrier.transit_ms=100",
    ])
    .await;
    let customers = Customers::come(&shop.client);
    for _ in 0..3 {
        customers.have_ordered(40).await;
        verified::verify_running(&shop).await;
        let status = shop.terminate().await;
        assert!(status.success(), "{status}: {}", shop.log());
        shop.start().await;
    }
    customers.have_ordered(10).await;
    let accepted = customers.leave().await;
    audit::all_is_right(&shop.client, &accepted).await;
    verified::verify(&mut shop).await;
    assert!(!shop.log().contains("panic"), "{}", shop.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_does_not_keep_the_shop_open() {
    // Given a client that waits for what will not happen for a long time.
    let mut shop = Shop::open(&["--world=carrier.collects=false"]).await;
    let id = shop.client.placed("k-1", &tea("ada")).await;
    shop.client.order_when(&id, |order| order["state"] == "confirmed").await;
    let waiting = tokio::spawn({
        let (client, path) = (shop.client.clone(), format!("/orders/{id}?wait=settled&timeout_s=60"));
        async move { client.try_send(client.request(reqwest::Method::GET, &path)).await }
    });
    // When it is asked to end, it does,
    let began = Instant::now();
    let status = shop.terminate().await;
    assert!(status.success() && began.elapsed() < Duration::from_secs(15), "{status} after {:?}", began.elapsed());
    // and the client is told how the order stands, if its request had arrived.
    let answer = tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
    assert!(answer.ok().is_none_or(|answer| answer.status == 200));
    shop.start().await;
    assert_eq!(shop.client.order(&id).await["state"], "confirmed");
}
