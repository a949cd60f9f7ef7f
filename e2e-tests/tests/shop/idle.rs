//! An idle shop: next to no processor time, little memory. The one test that has to measure.
#![cfg(target_os = "linux")]

use crate::{customers::Customers, request::tea, shop::Shop, wait::PATIENCE};
use std::{
    fs,
    time::{Duration, Instant},
};

/// Orders before the shop rests.
const RUSH: usize = 1_000;
/// How long to look.
const WINDOW: Duration = Duration::from_secs(3);
/// Of the processor's time in that window, in ticks of 10 ms: one in a hundred.
const TICKS: u64 = 3;
/// What the whole shop may use, the program itself apart: that is larger in a debug build.
const MEMORY_KB: u64 = 100 * 1024;

/// The processor time that a process has used, in ticks.
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // After the name, which is in parentheses, come the state and then the numbers: utime and stime are the 12th, 13th.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn memory_kb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_shop_uses_next_to_nothing() {
    // Given a shop after a rush, whose orders are over, all but one that waits for a carrier who does not come.
    let shop = Shop::open(&["--world=carrier.transit_ms=10"]).await;
    let customers = Customers::come(&shop.client);
    customers.have_ordered(RUSH).await;
    customers.leave().await;
    for row in shop.client.all("/orders", "items").await {
        shop.client.settled(row["order_id"].as_str().unwrap()).await;
    }
    shop.client.world(&serde_json::json!({ "carrier": { "collects": false } })).await;
    shop.client.placed("k-last", &tea("ada")).await;

    // Then, once it has tidied up, it rests.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let before = ticks(shop.pid());
        tokio::time::sleep(WINDOW).await;
        let used = ticks(shop.pid()) - before;
        if used <= TICKS {
            break;
        }
        assert!(Instant::now() < deadline, "it used {used} ticks in {WINDOW:?}, over and over");
    }
    let memory = memory_kb(shop.pid());
    println!("{memory} kB");
    assert!(memory < MEMORY_KB, "{memory} kB");
}
