//! Money neither overflows nor mixes currencies, and reads as people write it.

use shared_events::Money;

fn money(amount_minor: i64, currency: &str) -> Money {
    Money { amount_minor, currency: currency.into() }
}

#[test]
fn sums_differences_and_products_are_checked() {
    assert_eq!(money(100, "EUR").checked_add(&money(50, "EUR")), Some(money(150, "EUR")));
    assert_eq!(money(100, "EUR").checked_sub(&money(150, "EUR")), Some(money(-50, "EUR")));
    assert_eq!(money(1_295, "EUR").checked_mul(2), Some(money(2_590, "EUR")));
    assert_eq!(money(i64::MAX, "EUR").checked_add(&money(1, "EUR")), None);
    assert_eq!(money(i64::MIN, "EUR").checked_sub(&money(1, "EUR")), None);
    assert_eq!(money(i64::MAX, "EUR").checked_mul(2), None);
}

#[test]
fn currencies_do_not_mix() {
    assert_eq!(money(1, "EUR").checked_add(&money(1, "CHF")), None);
    assert_eq!(money(1, "EUR").checked_sub(&money(1, "CHF")), None);
}

#[test]
fn it_reads_as_people_write_it() {
    let cases = [
        (money(2_590, "EUR"), "25.90 EUR"),
        (money(-5, "EUR"), "-0.05 EUR"),
        (money(2_590, "JPY"), "2590 JPY"),
        (money(2_590, "KWD"), "2.590 KWD"),
        (money(i64::MIN, "EUR"), "-92233720368547758.08 EUR"),
    ];
    for (money, text) in cases {
        assert_eq!(money.to_string(), text);
    }
}
