//! What a customer sends to place an order, what of it is taken, and what makes two requests the same.

use crate::catalogue::is_name;
use runtime::http::Problem;
use serde::Deserialize;
use shared_events::{Personal, Sku};
use utoipa::ToSchema;

/// An order as the customer asks for it. It shows itself nowhere, because it is full of personal data.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "customer_id": "c-42", "email": "a@example.com", "phone": "+49301234567",
    "lines": [{ "sku": "TEA-001", "quantity": 2 }],
    "shipping_address": {
        "name": "Ada Lovelace", "street": "Invalidenstr. 1", "city": "Berlin", "postal_code": "10115", "country": "DE"
    },
    "payment_token": "tok_ok"
}))]
pub struct OrderRequest {
    /// Who orders: the name that the shop's accounts know the customer by.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,64}$", example = "c-42")]
    pub customer_id: String,
    /// Where mail about the order goes.
    #[schema(format = "email", max_length = 254, example = "a@example.com")]
    pub email: String,
    /// Where a text message goes when the parcel is on its way; E.164.
    #[schema(pattern = r"^\+[1-9][0-9]{1,14}$", example = "+49301234567")]
    pub phone: Option<String>,
    /// What is ordered. The same SKU may be in several lines.
    #[schema(min_items = 1, max_items = 50)]
    pub lines: Vec<LineRequest>,
    /// Where the parcel goes.
    pub shipping_address: Address,
    /// What the payment gateway gave in place of a card: visible ASCII.
    #[schema(pattern = "^[!-~]{1,100}$", example = "tok_ok")]
    pub payment_token: String,
}

/// One line of an order. Prices are the shop's, so there is none here.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineRequest {
    /// What: one of `GET /products`.
    #[schema(example = "TEA-001")]
    pub sku: Sku,
    /// How many.
    #[schema(minimum = 1, maximum = 1000, example = 2)]
    pub quantity: i64,
}

/// Where the parcel goes.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The addressee.
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    pub name: String,
    /// Street and number.
    #[schema(min_length = 1, max_length = 200, example = "Invalidenstr. 1")]
    pub street: String,
    /// City.
    #[schema(min_length = 1, max_length = 200, example = "Berlin")]
    pub city: String,
    /// Postal code.
    #[schema(min_length = 1, max_length = 200, example = "10115")]
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    #[schema(pattern = "^[A-Z]{2}$", example = "DE")]
    pub country: String,
}

/// A request that has the documented shape. Whether the shop sells what it names is the catalogue's to say.
#[derive(Clone)]
pub struct ValidRequest(OrderRequest);

impl OrderRequest {
    /// Checks every field.
    ///
    /// # Errors
    /// The first that is wrong, by its place in the JSON.
    pub fn validate(self) -> Result<ValidRequest, Problem> {
        check_customer_id("customer_id", &self.customer_id)?;
        must(is_email(&self.email), "email", "must be a mail address of at most 254 characters, as a@example.com")?;
        if let Some(phone) = &self.phone {
            must(is_phone(phone), "phone", "must be a number in E.164, as +49301234567")?;
        }
        must((1..=50).contains(&self.lines.len()), "lines", "must be 1 to 50 lines")?;
        for (index, line) in self.lines.iter().enumerate() {
            let field = format!("lines[{index}].quantity");
            must((1..=1000).contains(&line.quantity), &field, "must be at least 1 and at most 1000")?;
        }
        self.shipping_address.check()?;
        let token = &self.payment_token;
        let visible = (1..=100).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
        must(visible, "payment_token", "must be 1 to 100 visible ASCII characters, without spaces")?;
        Ok(ValidRequest(self))
    }
}

impl Address {
    fn check(&self) -> Result<(), Problem> {
        let texts =
            [("name", &self.name), ("street", &self.street), ("city", &self.city), ("postal_code", &self.postal_code)];
        for (name, text) in texts {
            let fits = (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control);
            let field = format!("shipping_address.{name}");
            must(fits && !text.trim().is_empty(), &field, "must be 1 to 200 characters, without control characters")?;
        }
        let country = self.country.len() == 2 && self.country.bytes().all(|b| b.is_ascii_uppercase());
        must(country, "shipping_address.country", "must be an ISO 3166-1 code of two capital letters, as DE")
    }
}

/// Whether `text` may name a customer.
///
/// # Errors
/// A problem about `field` when it may not.
pub fn check_customer_id(field: &str, text: &str) -> Result<(), Problem> {
    must(is_name(text), field, "must be 1 to 64 characters of A-Z a-z 0-9 . _ -")
}

fn must(holds: bool, field: &str, detail: &str) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(Problem::invalid(field, detail)) }
}

/// Plausible, and nothing that could be read as more than one address or as a header of a mail.
fn is_email(text: &str) -> bool {
    let odd = |c: char| c.is_control() || c.is_whitespace() || "<>()[],;:\\\"".contains(c);
    let Some((local, domain)) = text.split_once('@') else { return false };
    let dots = domain.starts_with('.') || domain.ends_with('.') || domain.contains("..");
    text.len() <= 254
        && !local.is_empty()
        && !domain.is_empty()
        && !dots
        && !domain.contains('@')
        && !text.contains(odd)
}

fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let first = digits.bytes().next().unwrap_or(b'0');
    (2..=15).contains(&digits.len()) && first != b'0' && digits.bytes().all(|b| b.is_ascii_digit())
}

impl ValidRequest {
    /// Who orders.
    #[must_use]
    pub fn customer_id(&self) -> &str {
        &self.0.customer_id
    }

    /// Whether the customer can be sent text messages.
    #[must_use]
    pub fn phone_given(&self) -> bool {
        self.0.phone.is_some()
    }

    /// What is wanted, and how many of it.
    #[must_use]
    pub fn wanted(&self) -> Vec<(Sku, i64)> {
        self.0.lines.iter().map(|line| (line.sku.clone(), line.quantity)).collect()
    }

    /// Everything in it that says who the customer is.
    #[must_use]
    pub fn personal(&self) -> Personal {
        let OrderRequest { email, phone, shipping_address, payment_token, .. } = self.0.clone();
        let Address { name, street, city, postal_code, country } = shipping_address;
        Personal { email, phone, name, street, city, postal_code, country, payment_token }
    }

    /// The same bytes for the same request however its JSON was written, and for no other. Fingerprints of them are
    /// kept for good, so this must never change. Prices are not in it: a repeated request is the same after a new
    /// price.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let OrderRequest { customer_id, email, phone, lines, shipping_address, payment_token } = &self.0;
        let Address { name, street, city, postal_code, country } = shipping_address;
        let mut bytes = vec![1]; // How the rest is written.
        put(&mut bytes, &[customer_id, email]);
        bytes.push(u8::from(phone.is_some()));
        put(&mut bytes, phone.as_slice());
        bytes.extend((lines.len() as u64).to_be_bytes());
        for line in lines {
            put(&mut bytes, &[&line.sku]);
            bytes.extend(line.quantity.to_be_bytes());
        }
        put(&mut bytes, &[name, street, city, postal_code, country, payment_token]);
        bytes
    }
}

fn put(bytes: &mut Vec<u8>, texts: &[impl AsRef<str>]) {
    for text in texts.iter().map(AsRef::as_ref) {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn example() -> Value {
        json!({ "customer_id": "c-42", "email": "a@example.com", "phone": "+49301234567",
            "lines": [{ "sku": "TEA-001", "quantity": 2 }],
            "shipping_address": { "name": "Ada", "street": "Invalidenstr. 1", "city": "Berlin", "postal_code": "10115",
                "country": "DE" },
            "payment_token": "tok_ok" })
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut request = example();
        *request.pointer_mut(pointer).unwrap() = value;
        request
    }

    fn validated(request: Value) -> Result<ValidRequest, Problem> {
        serde_json::from_value::<OrderRequest>(request).unwrap().validate()
    }

    #[test]
    fn what_fits_is_taken() {
        let line = json!({ "sku": "A", "quantity": 1000 });
        let cases = [
            example(),
            with("/customer_id", "A.b_c-9".repeat(9).into()),
            with("/email", "häns.o'neil+shop@sub.例え.jp".into()),
            with("/email", "a@localhost".into()),
            with("/phone", Value::Null),
            with("/phone", "+123456789012345".into()),
            with("/lines", vec![line; 50].into()),
            with("/shipping_address/name", "名".repeat(200).into()),
            with("/shipping_address/country", "XX".into()),
            with("/payment_token", "~".repeat(100).into()),
        ];
        for request in cases {
            assert!(validated(request.clone()).is_ok(), "{request}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let line = json!({ "sku": "A", "quantity": 1 });
        let texts: Vec<(&str, Vec<&str>)> = vec![
            ("/customer_id", vec!["", "a b", "a/b", "ä", "c\u{0}"]),
            (
                "/email",
                vec!["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\nBcc: x@y", "a@b,c@d", "A <a@b>", "a@.b", "a@b..c"],
            ),
            ("/phone", vec!["", "+", "+1", "030", "+0123", "+49 30", "+1234567890123456", "+49٣"]),
            ("/shipping_address/name", vec!["", "  ", "a\nb", "a\u{0}"]),
            ("/shipping_address/city", vec!["\u{7f}"]),
            ("/shipping_address/country", vec!["", "D", "de", "DEU", "Ä"]),
            ("/payment_token", vec!["", "tok ok", "tök", "a\u{7f}"]),
        ];
        let mut cases: Vec<(&str, Value)> =
            texts.into_iter().flat_map(|(at, texts)| texts.into_iter().map(move |text| (at, text.into()))).collect();
        cases.extend([
            ("/customer_id", "c".repeat(65).into()),
            ("/email", format!("{}@example.com", "a".repeat(243)).into()),
            ("/lines", json!([])),
            ("/lines", vec![line; 51].into()),
            ("/lines/0/quantity", 0.into()),
            ("/lines/0/quantity", (-1).into()),
            ("/lines/0/quantity", 1001.into()),
            ("/shipping_address/street", "s".repeat(201).into()),
            ("/shipping_address/postal_code", "".into()),
            ("/payment_token", "t".repeat(101).into()),
        ]);
        for (pointer, value) in cases {
            let field = pointer[1..].replace("/0/", "[0].").replace('/', ".");
            let problem = validated(with(pointer, value.clone())).err().unwrap_or_else(|| panic!("{pointer} {value}"));
            assert_eq!((problem.status().as_u16(), problem.field()), (400, Some(field.as_str())), "{value}");
        }
    }

    #[test]
    fn two_requests_are_the_same_only_if_every_field_is() {
        let canonical = |request| validated(request).ok().unwrap().canonical();
        let first = canonical(example());
        assert_eq!(first, canonical(example()));
        let others = [
            ("/customer_id", json!("c-43")),
            ("/email", json!("b@example.com")),
            ("/phone", Value::Null),
            ("/lines/0/sku", json!("TEA-002")),
            ("/lines/0/quantity", json!(3)),
            ("/lines", json!([{ "sku": "TEA-001", "quantity": 1 }, { "sku": "TEA-001", "quantity": 1 }])),
            ("/shipping_address/name", json!("AdaI")),
            ("/shipping_address/street", json!("nvalidenstr. 1")),
            ("/shipping_address/city", json!("Bern")),
            ("/shipping_address/postal_code", json!("10117")),
            ("/shipping_address/country", json!("CH")),
            ("/payment_token", json!("tok_slow")),
        ];
        for (pointer, value) in others {
            assert_ne!(first, canonical(with(pointer, value)), "{pointer}");
        }
    }

    #[test]
    fn no_phone_is_no_phone_however_it_is_written() {
        let mut absent = example();
        absent.as_object_mut().unwrap().remove("phone");
        let null = validated(with("/phone", Value::Null)).ok().unwrap();
        assert_eq!(validated(absent).ok().unwrap().canonical(), null.canonical());
        assert!(!null.phone_given() && null.personal().phone.is_none());
    }

    /// Fingerprints in the logs of running shops were made of these bytes.
    #[test]
    fn the_canonical_bytes_never_change() {
        let text = |text: &str| [&(text.len() as u64).to_be_bytes()[..], text.as_bytes()].concat();
        let number = |number: u64| number.to_be_bytes().to_vec();
        let expected = [
            vec![1],
            text("c-42"),
            text("a@example.com"),
            vec![1],
            text("+49301234567"),
            number(1),
            text("TEA-001"),
            number(2),
            text("Ada"),
            text("Invalidenstr. 1"),
            text("Berlin"),
            text("10115"),
            text("DE"),
            text("tok_ok"),
        ];
        assert_eq!(validated(example()).ok().unwrap().canonical(), expected.concat());
    }
}
