//! What the warehouse opens with and what the shop sells are kept by two services, and are the same articles.

use inventory::opening::Opening;
use order::catalogue::Catalogue;
use std::collections::BTreeSet;

#[test]
fn what_is_sold_is_what_there_can_be_stock_of() {
    let (catalogue, opening) = (Catalogue::built_in().expect("a catalogue"), Opening::built_in().expect("a list"));
    let sold: BTreeSet<_> = catalogue.products().map(|product| &product.sku).collect();
    assert_eq!(sold, opening.skus().collect());
}
