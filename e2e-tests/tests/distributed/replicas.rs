//! Two processes of one service: one leads, the other stands by, and takes over when the first is gone.

use crate::{process::Process, request::tea, site::Site, wait::until};
use serde_json::json;

/// Who of the two leads, and who stands by.
async fn roles<'p>(a: &'p mut Process, b: &'p mut Process) -> (&'p mut Process, &'p mut Process) {
    let stands_by = async |process: &Process| process.status().await["led_by"].is_string();
    until("one of them stands by", || async { (stands_by(a).await || stands_by(b).await).then_some(()) }).await;
    if stands_by(b).await { (a, b) } else { (b, a) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_serves_reads_forwards_commands_and_takes_over_when_the_leader_is_killed() {
    let Some(mut site) = Site::new(&[]).await else { return };
    let (mut one, mut other) = (site.replica("order"), site.replica("order"));
    one.start();
    other.start();
    let (leader, standby) = roles(&mut one, &mut other).await;
    leader.ready().await;
    standby.ready().await;
    assert_eq!(standby.status().await["led_by"], json!(leader.listen.to_string()));

    // A command that comes to the standby is carried out by the leader, once, however it comes again.
    let placed = standby.client.placed("k-1", &tea("c-1")).await;
    assert_eq!(leader.client.placed("k-1", &tea("c-1")).await, placed);
    assert_eq!(standby.client.placed("k-1", &tea("c-1")).await, placed);
    for process in [&*leader, &*standby] {
        assert_eq!(process.client.order(&placed).await["order_id"], json!(placed));
    }
    standby.client.cancel("00000000000000000000000000000000").await.problem(404);
    standby.client.place("k-1", &tea("c-2")).await.expect(202);
    let broken = standby.client.request(reqwest::Method::POST, "/orders").body("nonsense");
    standby.client.send(broken).await.problem(400);

    // A command that was forwarded once is not forwarded again.
    let forwarded = standby.client.request(reqwest::Method::POST, "/orders").header("Tutti-Forwarded", "1");
    let forwarded = forwarded.header("Idempotency-Key", "k-3").json(&tea("c-1"));
    standby.client.send(forwarded).await.problem(503);

    // When the leader is killed, the other one takes over, and has everything.
    leader.kill().await;
    let again = standby.client.insist("/orders", Some("k-1"), &tea("c-1")).await.expect(202);
    assert_eq!(again["order_id"], json!(placed));
    until("it leads", || async { standby.status().await["led_by"].is_null().then_some(()) }).await;
    assert!(standby.health().await, "{}", standby.log());

    // The one that comes back stands by, and the whole shop goes on.
    leader.start();
    leader.ready().await;
    until("it stands by", || async { leader.status().await["led_by"].is_string().then_some(()) }).await;
    for name in ["inventory", "payment", "shipping", "email"] {
        site.process(name).start();
    }
    site.world.start();
    assert_eq!(leader.client.settled(&placed).await["state"], "completed");
}
