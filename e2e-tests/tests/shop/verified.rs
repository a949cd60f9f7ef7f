//! What `tutti verify` says of a shop in one process.

use crate::{
    program::{run, tutti},
    shop::Shop,
};

/// Ends the shop in an orderly way, and holds its directory against the invariants.
pub async fn verify(shop: &mut Shop) {
    shop.close().await;
    verify_data(shop).await;
}

/// Holds the directory against the invariants as it is.
pub async fn verify_data(shop: &Shop) {
    let verified = run(tutti(&["verify", "--data", &shop.data().display().to_string()])).await;
    assert_eq!(verified.code, 0, "{verified}");
}

/// Holds the running shop against the invariants, over HTTP.
pub async fn verify_running(shop: &Shop) {
    let verified = run(tutti(&["verify", "--url", &shop.client.address().unwrap()])).await;
    assert_eq!(verified.code, 0, "{verified}");
}
