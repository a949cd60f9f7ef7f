//! The dialogue with an SMTP server, step by step. Until the end of the data a mail surely was not taken; after it,
//! only a reply tells.

use super::letter::Letter;
use lettre::transport::smtp::{
    Error,
    client::AsyncSmtpConnection,
    commands::{Data, Mail, Rcpt},
    extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    response::{Response, Severity},
};
use std::{error::Error as _, time::Duration};

/// How long to wait for the server's goodbye, which changes nothing.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why a mail was not, or perhaps not, taken. No reason quotes the server's words, which may hold the address.
#[derive(Debug)]
pub(super) enum Ended {
    /// Not taken: the connection or the server fails.
    NotNow(String),
    /// Not taken: the server does not want this client, whatever it sends.
    NotWelcome(String),
    /// Perhaps it was taken.
    Unclear(String),
    /// Not taken, and never will be.
    Refused(String),
}

/// Hands a mail to the server at `address`, which may take `patience` until it is ready for the data, and once more to
/// take it.
pub(super) async fn send(address: (&str, u16), letter: &Letter, patience: Duration) -> Result<(), Ended> {
    let late = || Ended::NotNow(format!("the mail server was not ready for the data within {patience:?}"));
    let ready = tokio::time::timeout(patience, begin(address, letter, patience)).await;
    let mut connection = ready.map_err(|_| late())??;
    let taken = tokio::time::timeout(patience, connection.message(&letter.text)).await;
    let late = || Ended::Unclear(format!("the mail server did not reply to the data within {patience:?}"));
    let ended = after_the_data(taken.map_err(|_| late())?);
    goodbye(&mut connection).await;
    ended
}

/// Everything up to the server's readiness for the data.
async fn begin(address: (&str, u16), letter: &Letter, patience: Duration) -> Result<AsyncSmtpConnection, Ended> {
    let hello = ClientId::Domain(letter.from.domain().to_owned());
    let connected = AsyncSmtpConnection::connect_tokio1(address, Some(patience), &hello, None, None).await;
    let mut connection = connected.map_err(|error| about_the_shop(&error, "connecting"))?;
    let envelope = envelope(&mut connection, letter).await;
    if envelope.is_err() {
        goodbye(&mut connection).await;
    }
    envelope.map(|()| connection)
}

async fn envelope(connection: &mut AsyncSmtpConnection, letter: &Letter) -> Result<(), Ended> {
    let mail = Mail::new(Some(letter.from.clone()), parameters(connection, letter)?);
    connection.command(mail).await.map_err(|error| about_the_shop(&error, "MAIL"))?;
    let rcpt = Rcpt::new(letter.to.clone(), vec![]);
    connection.command(rcpt).await.map_err(|error| about_the_mail(&error, "RCPT"))?;
    let ready = connection.command(Data).await.map_err(|error| about_the_mail(&error, "DATA"))?;
    if ready.has_code(354) {
        Ok(())
    } else {
        Err(Ended::NotNow(format!("the mail server says {} to DATA", ready.code())))
    }
}

/// An address beyond ASCII needs a server that knows it (RFC 6531).
fn parameters(connection: &AsyncSmtpConnection, letter: &Letter) -> Result<Vec<MailParameter>, Ended> {
    let knows = |extension| connection.server_info().supports_feature(extension);
    let address: &str = letter.to.as_ref();
    if address.is_ascii() && letter.text.is_ascii() {
        return Ok(vec![]);
    }
    if !knows(Extension::SmtpUtfEight) || !knows(Extension::EightBitMime) {
        return Err(Ended::Refused("the mail server takes ASCII addresses only".into()));
    }
    Ok(vec![MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)])
}

fn after_the_data(reply: Result<Response, Error>) -> Result<(), Ended> {
    match reply {
        Ok(reply) if reply.code().severity == Severity::PositiveCompletion => Ok(()),
        Ok(reply) => Err(Ended::Unclear(format!("the mail server says {} to the data", reply.code()))),
        Err(error) if error.status().is_some() => Err(about_the_mail(&error, "the data")),
        Err(_) => Err(Ended::Unclear("the connection to the mail server broke after the data".into())),
    }
}

/// Whatever goes wrong before the recipient is named says nothing about the recipient.
fn about_the_shop(error: &Error, step: &str) -> Ended {
    match error.status() {
        Some(code) if error.is_permanent() => Ended::NotWelcome(format!("the mail server says {code} to {step}")),
        Some(code) => Ended::NotNow(format!("the mail server says {code} to {step}")),
        None => Ended::NotNow(format!("the connection to the mail server broke at {step}")),
    }
}

/// A permanent refusal is about the mail, unless its code says that it is about who sends it.
fn about_the_mail(error: &Error, step: &str) -> Ended {
    match error.status() {
        Some(code) if error.is_permanent() && concerns_the_mail(&code.to_string(), subject(error)) => {
            Ended::Refused(format!("the mail server says {code} to {step}"))
        }
        _ => about_the_shop(error, step),
    }
}

/// RFC 3463: the second number of an enhanced status code. 3 is the server itself, 5 the protocol, 7 rules and
/// permissions; the others are the recipient, the way there, and the content. Without one the reply code must do: 501 and
/// 550 to 559 are about the address and the transaction, the others about the client (RFC 5321, 4.2.2; RFC 4954).
fn concerns_the_mail(code: &str, subject: Option<char>) -> bool {
    match subject {
        Some(subject) => !matches!(subject, '3' | '5' | '7'),
        None => code == "501" || code.starts_with("55"),
    }
}

fn subject(error: &Error) -> Option<char> {
    let said = error.source()?.to_string();
    let enhanced = said.split_whitespace().next()?;
    let mut numbers = enhanced.split('.');
    let (class, subject, detail) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_enhanced = class == "5" && subject.len() == 1 && is_number(subject) && is_number(detail);
    subject.chars().next().filter(|_| is_enhanced && numbers.next().is_none())
}

async fn goodbye(connection: &mut AsyncSmtpConnection) {
    // Only manners: whatever comes of it, the mail's fate is known.
    _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
}
