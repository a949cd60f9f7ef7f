//! Sealed data, which travels in events through everybody's hands.

use shared_events::{CustomerKey, Personal, Sealed};

/// Whose data it says it is.
const CUSTOMER: &str = "c-42";

/// Opens what claims to be sealed; what was sealed by somebody without the key never opens. Whether its text could be sealed.
///
/// # Panics
/// When bytes that nobody sealed open, or what is sealed does not.
pub fn open(bytes: &[u8]) -> bool {
    let key = CustomerKey::from_bytes([7; 32]);
    let opened = Sealed::<Personal>::from_bytes(bytes).open(&key, CUSTOMER);
    assert!(opened.is_err(), "it opened, and nobody sealed it: {bytes:?}");
    let personal = personal(&String::from_utf8_lossy(bytes));
    let Ok(sealed) = Sealed::seal(&key, CUSTOMER, &personal) else { return false };
    match Sealed::<Personal>::from_bytes(sealed.as_bytes()).open(&key, CUSTOMER) {
        Ok(again) => assert_eq!(again, personal),
        Err(why) => panic!("{personal:?} was sealed and does not open: {why}"),
    }
    true
}

fn personal(text: &str) -> Personal {
    Personal {
        email: text.to_owned(),
        phone: Some(text.to_owned()),
        name: text.to_owned(),
        street: String::new(),
        city: text.to_owned(),
        postal_code: text.to_owned(),
        country: "DE".to_owned(),
        payment_token: text.to_owned(),
    }
}
