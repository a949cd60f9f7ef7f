//! Personal data opens with its customer's key and for nobody else, and shows itself nowhere.

use shared_events::{CustomerKey, Personal, SealError, Sealed};

fn personal() -> Personal {
    Personal {
        email: "ada@example.com".into(),
        phone: Some("+49301234567".into()),
        name: "Ada Lovelace".into(),
        street: "Unter den Linden 1".into(),
        city: "Berlin".into(),
        postal_code: "10117".into(),
        country: "DE".into(),
        payment_token: "tok_ok".into(),
    }
}

fn key() -> CustomerKey {
    CustomerKey::from_bytes([7; 32])
}

fn sealed() -> Sealed<Personal> {
    Sealed::seal(&key(), "c-42", &personal()).unwrap()
}

#[test]
fn what_was_sealed_opens_with_the_same_key_for_the_same_customer() {
    assert_eq!(sealed().open(&key(), "c-42"), Ok(personal()));
}

#[test]
fn it_opens_after_it_travelled_as_json() {
    let json = serde_json::to_string(&sealed()).unwrap();
    let back: Sealed<Personal> = serde_json::from_str(&json).unwrap();
    assert_eq!(back.open(&key(), "c-42"), Ok(personal()));
}

#[test]
fn another_key_does_not_open_it() {
    let other = CustomerKey::from_bytes([8; 32]);
    assert_eq!(sealed().open(&other, "c-42"), Err(SealError::NotForThisKey));
}

#[test]
fn it_does_not_pass_for_another_customers_data() {
    assert_eq!(sealed().open(&key(), "c-43"), Err(SealError::NotForThisKey));
}

#[test]
fn any_changed_byte_is_noticed() {
    let sealed = sealed();
    for at in 0..sealed.as_bytes().len() {
        let mut bytes = sealed.as_bytes().to_vec();
        bytes[at] ^= 1;
        let changed = Sealed::<Personal>::from_bytes(bytes).open(&key(), "c-42");
        let expected = if at == 0 { SealError::UnknownVersion(0) } else { SealError::NotForThisKey };
        assert_eq!(changed, Err(expected), "byte {at}");
    }
}

#[test]
fn anything_cut_off_is_noticed() {
    let sealed = sealed();
    for end in 0..sealed.as_bytes().len() {
        let cut = Sealed::<Personal>::from_bytes(&sealed.as_bytes()[..end]).open(&key(), "c-42");
        let expected = if end < 41 { SealError::TooShort(end) } else { SealError::NotForThisKey };
        assert_eq!(cut, Err(expected), "cut at {end}");
    }
}

#[test]
fn sealing_twice_gives_two_that_nobody_can_compare() {
    assert_ne!(sealed(), sealed());
}

#[test]
fn generated_keys_differ() {
    let (one, other) = (CustomerKey::generate().unwrap(), CustomerKey::generate().unwrap());
    assert_ne!(one.as_bytes(), other.as_bytes());
    assert_ne!(one.as_bytes(), &[0; 32]);
}

#[test]
fn what_opens_but_is_something_else_is_an_error() {
    let number = Sealed::seal(&key(), "c-42", &7).unwrap();
    let as_personal = Sealed::<Personal>::from_bytes(number.as_bytes());
    assert_eq!(as_personal.open(&key(), "c-42"), Err(SealError::NotReadable));
}

#[test]
fn nothing_personal_shows_in_debug_output_or_in_the_sealed_bytes() {
    let shown = format!("{:?} {:?} {:?}", sealed(), personal(), key());
    assert_eq!(shown, "Sealed(…) Personal(…) CustomerKey(…)");
    assert!(!sealed().as_bytes().windows(3).any(|bytes| bytes == b"Ada"));
}

#[test]
fn text_that_is_no_base64_is_no_sealed_data_and_is_not_quoted() {
    let wrong = serde_json::from_str::<Sealed<Personal>>(r#""Ada Lovelace!""#).unwrap_err().to_string();
    assert!(wrong.contains("base64") && !wrong.contains("Ada"), "{wrong}");
}
