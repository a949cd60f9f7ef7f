//! `kill -9` of a shop under load, again and again: nothing accepted is lost, nothing happens twice.

use crate::{audit, customers::Customers, dice::Dice, shop::Shop, verified};
use std::time::Duration;

/// How often the shop is killed.
const KILLS: u64 = 16;

/// The outside world fails now and then, and loses some of its answers.
const RESTLESS: &[&str] = &[
    "--world=gateway.slow_ms=300",
    "--world=gateway.unknown_ms=800",
    "--world=gateway.fail=0.05",
    "--world=gateway.lose_answer=0.05",
    "--world=carrier.fail=0.05",
    "--world=carrier.lose_answer=0.05",
    "--world=carrier.pick_up_ms=40",
    "--world=carrier.transit_ms=150",
    "--world=carrier.repeat_reports=0.2",
    "--world=carrier.shuffle_reports=true",
    "--world=post.lose_answer=0.05",
];

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_under_load_nothing_accepted_is_lost() {
    let mut dice = Dice::of_environment();
    let mut shop = Shop::open(RESTLESS).await;
    let customers = Customers::come(&shop.client);
    for kill in 0..KILLS {
        customers.have_ordered(usize::try_from(dice.below(30)).unwrap()).await;
        // Not a wait for anything: the moment of the kill is what the seed decides.
        tokio::time::sleep(Duration::from_millis(dice.below(100))).await;
        shop.kill().await;
        if kill % 8 == 3 {
            // What it leaves behind is in order at any moment, not only when all is over.
            verified::verify_data(&shop).await;
        }
        if kill % 3 == 2 {
            // Also while it starts.
            shop.spawn();
            tokio::time::sleep(Duration::from_millis(dice.below(200))).await;
            shop.kill().await;
        }
        shop.start().await;
    }
    customers.have_ordered(10).await;
    let accepted = customers.leave().await;
    println!("{} orders over {KILLS} kills", accepted.len());
    assert!(accepted.len() > 100);
    audit::all_is_right(&shop.client, &accepted).await;
    verified::verify(&mut shop).await;
}
