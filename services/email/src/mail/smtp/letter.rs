//! A mail as it travels.

use crate::mail::{Message, PostError, fits_in_a_header};
use lettre::{
    Address,
    message::{
        Body, Mailbox, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};

/// Who writes; of the same domain as the Message-IDs.
const SENDER: (&str, &str) = ("orders", "tutti.example");
/// Which order a mail is about, for whoever sorts mails.
const ORDER: HeaderName = HeaderName::new_from_ascii_str("X-Tutti-Order");
/// Which template it was made from.
const TEMPLATE: HeaderName = HeaderName::new_from_ascii_str("X-Tutti-Template");
/// RFC 3834: so that nobody's absence note answers it.
const AUTOMATIC: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// A mail, ready for the wire.
pub(super) struct Letter {
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) text: Vec<u8>,
}

/// Writes a mail.
///
/// # Errors
/// When the address is none, or something would not fit in a header. The reasons do not quote it.
pub(super) fn write(message: &Message) -> Result<Letter, PostError> {
    let refused = |why: &str| PostError::Refused(why.to_owned());
    let Message { order_id, template, to, subject, body, message_id, .. } = message;
    // lettre lets line breaks in an address through to the server (RUSTSEC-2026-0561), so nothing with a control
    // character comes near it.
    if ![to, subject, order_id, message_id].into_iter().all(|text| fits_in_a_header(text)) {
        return Err(refused("control characters in a header"));
    }
    let to: Address = to.parse().map_err(|_| refused("not a mail address"))?;
    let from = Address::new(SENDER.0, SENDER.1).map_err(|_| refused("the sender has no mail address"))?;
    let mail = lettre::Message::builder()
        .from(Mailbox::new(Some("tutti".into()), from.clone()))
        .to(Mailbox::new(None, to.clone()))
        .subject(subject)
        .message_id(Some(format!("<{message_id}>")))
        .raw_header(HeaderValue::new(ORDER, order_id.clone()))
        .raw_header(HeaderValue::new(TEMPLATE, template.to_string()))
        .raw_header(HeaderValue::new(AUTOMATIC, "auto-generated".into()))
        .singlepart(SinglePart::builder().header(ContentType::TEXT_PLAIN).body(plain(body)))
        .map_err(|_| refused("it cannot be written as a mail"))?;
    Ok(Letter { from, to, text: mail.formatted() })
}

/// Quoted-printable, whatever the text is: then a lone line feed or carriage return in it is never one on the wire,
/// where servers differ in what ends a line, and a mail's end could be smuggled in.
fn plain(text: &str) -> Body {
    let encoded = Body::new_with_encoding(text.to_owned(), ContentTransferEncoding::QuotedPrintable);
    encoded.unwrap_or_else(|text| Body::new(String::from_utf8_lossy(&text).into_owned()))
}
