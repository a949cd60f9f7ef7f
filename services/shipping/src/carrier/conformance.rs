//! What every carrier is held to: one suite for the port, run on every implementation of it.
//!
//! A check that fails panics, as in any test; its name stands in the output before it. The carrier must not go to the
//! country `XX`, must refuse an address without a street, and must collect nothing until it is told to.

use super::{Answer, BookRequest, Carrier, CarrierAnswer, CarrierError};

/// Holds a carrier to its contract. `collect` lets it come, and returns once it has collected the parcel of the order
/// named. Keys and orders are made unique with `run`, so that one carrier can be held to it repeatedly.
///
/// # Panics
/// When the carrier does something else than it must.
pub async fn carrier<C: Carrier>(carrier: &C, run: &str, collect: impl AsyncFn(String)) {
    let case = |name: &'static str| {
        println!("carrier: {name}");
        Case { carrier, order_id: format!("{run}-{}", name.replace(' ', "-")) }
    };
    case("a key has one label for ever").a_key_has_one_label_for_ever().await;
    case("a key is not taken for another order").a_key_is_not_taken_for_another_order().await;
    case("some addresses get no label for good").some_addresses_get_no_label_for_good().await;
    case("a key never heard is unknown").a_key_never_heard_is_unknown().await;
    case("a label nobody made is no answer").a_label_nobody_made_is_no_answer().await;
    case("what was handed over can be called back").what_was_handed_over_can_be_called_back().await;
    case("a void label is not handed over").a_void_label_is_not_handed_over().await;
    case("of hand-over and cancel at once").of_hand_over_and_cancel_at_once_the_parcel_stays().await;
    let called_back = case("what was called back is not collected");
    let label = called_back.what_was_called_back().await;
    case("after the collection it is too late").after_the_collection_it_is_too_late(collect).await;
    called_back.is_not_collected(&label).await;
}

/// One check, with an order of its own.
struct Case<'c, C> {
    carrier: &'c C,
    order_id: String,
}

impl<C: Carrier> Case<'_, C> {
    fn key(&self, effect: &str) -> String {
        format!("shipping/{effect}/{}", self.order_id)
    }

    fn to(&self, country: &str) -> BookRequest {
        BookRequest {
            order_id: self.order_id.clone(),
            name: "Ada Łovelace".into(),
            street: "Weg 1".into(),
            city: "Berlin".into(),
            postal_code: "10115".into(),
            country: country.into(),
        }
    }

    async fn book(&self, country: &str) -> Answer {
        self.carrier.book(&self.key("book_label"), &self.to(country)).await
    }

    async fn booked(&self) -> String {
        match self.book("DE").await {
            Ok(CarrierAnswer::Booked { label, carrier }) if !label.is_empty() && !carrier.is_empty() => label,
            other => panic!("no label: {other:?}"),
        }
    }

    async fn hand_over(&self, label: &str) -> Answer {
        self.carrier.hand_over(&self.key("hand_over"), &self.order_id, label).await
    }

    async fn cancel(&self, label: &str) -> Answer {
        self.carrier.cancel(&self.key("cancel_label"), &self.order_id, label).await
    }

    async fn a_key_has_one_label_for_ever(&self) {
        let label = self.booked().await;
        assert_eq!(self.booked().await, label);
        let found = self.carrier.find(&self.key("book_label")).await;
        assert!(matches!(&found, Ok(Some(CarrierAnswer::Booked { label: again, .. })) if *again == label), "{found:?}");
    }

    async fn a_key_is_not_taken_for_another_order(&self) {
        self.booked().await;
        let other = BookRequest { order_id: "another".into(), ..self.to("DE") };
        let answer = self.carrier.book(&self.key("book_label"), &other).await;
        assert_eq!(answer, not_served("idempotency_key_reused"));
    }

    async fn some_addresses_get_no_label_for_good(&self) {
        assert_eq!(self.book("XX").await, not_served("country_not_served"));
        assert_eq!(self.book("DE").await, not_served("country_not_served"), "the key is decided");
        assert_eq!(self.carrier.find(&self.key("book_label")).await, not_served("country_not_served").map(Some));
        let nowhere = BookRequest { street: " ".into(), ..self.to("DE") };
        assert_eq!(self.carrier.book(&self.key("nowhere"), &nowhere).await, not_served("address_refused"));
    }

    async fn a_key_never_heard_is_unknown(&self) {
        assert_eq!(self.carrier.find(&self.key("never_heard")).await, Ok(None));
    }

    async fn a_label_nobody_made_is_no_answer(&self) {
        let answers = [self.hand_over("WP0").await, self.cancel("WP0").await];
        assert!(answers.iter().all(|answer| matches!(answer, Err(CarrierError::Unavailable(_)))), "{answers:?}");
        assert_eq!(self.carrier.find(&self.key("cancel_label")).await, Ok(None));
    }

    async fn what_was_handed_over_can_be_called_back(&self) {
        let label = self.booked().await;
        assert_eq!(self.hand_over(&label).await, Ok(CarrierAnswer::Accepted));
        assert_eq!(self.hand_over(&label).await, Ok(CarrierAnswer::Accepted));
        assert_eq!(self.cancel(&label).await, Ok(CarrierAnswer::Accepted));
        assert_eq!(self.cancel(&label).await, Ok(CarrierAnswer::Accepted));
        assert_eq!(self.carrier.find(&self.key("cancel_label")).await, Ok(Some(CarrierAnswer::Accepted)));
    }

    async fn a_void_label_is_not_handed_over(&self) {
        let label = self.booked().await;
        assert_eq!(self.cancel(&label).await, Ok(CarrierAnswer::Accepted));
        assert_eq!(self.hand_over(&label).await, Ok(CarrierAnswer::LabelVoid));
        assert_eq!(self.carrier.find(&self.key("hand_over")).await, Ok(Some(CarrierAnswer::LabelVoid)));
    }

    /// Whichever comes first, the label is void in the end.
    async fn of_hand_over_and_cancel_at_once_the_parcel_stays(&self) {
        let label = self.booked().await;
        let (handed, cancelled) = tokio::join!(self.hand_over(&label), self.cancel(&label));
        assert!(matches!(handed, Ok(CarrierAnswer::Accepted | CarrierAnswer::LabelVoid)), "{handed:?}");
        assert_eq!(cancelled, Ok(CarrierAnswer::Accepted));
        let again = self.carrier.hand_over(&self.key("again"), &self.order_id, &label).await;
        assert_eq!(again, Ok(CarrierAnswer::LabelVoid));
    }

    async fn what_was_called_back(&self) -> String {
        let label = self.booked().await;
        assert_eq!(self.hand_over(&label).await, Ok(CarrierAnswer::Accepted));
        assert_eq!(self.cancel(&label).await, Ok(CarrierAnswer::Accepted));
        label
    }

    async fn is_not_collected(&self, label: &str) {
        let asked = self.carrier.cancel(&self.key("once_more"), &self.order_id, label).await;
        assert_eq!(asked, Ok(CarrierAnswer::Accepted));
    }

    async fn after_the_collection_it_is_too_late(&self, collect: impl AsyncFn(String)) {
        let label = self.booked().await;
        assert_eq!(self.hand_over(&label).await, Ok(CarrierAnswer::Accepted));
        collect(self.order_id.clone()).await;
        assert_eq!(self.cancel(&label).await, Ok(CarrierAnswer::AlreadyCollected));
        let found = self.carrier.find(&self.key("cancel_label")).await;
        assert_eq!(found, Ok(Some(CarrierAnswer::AlreadyCollected)));
        assert_eq!(self.hand_over(&label).await, Ok(CarrierAnswer::Accepted));
    }
}

fn not_served(code: &str) -> Answer {
    Ok(CarrierAnswer::NotServed { code: code.into() })
}
