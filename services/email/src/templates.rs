//! The words of each message, and whether it may be sent a second time.

use crate::domain::{SendMail, SendSms};
use minijinja::{Environment, Error, UndefinedBehavior, Value, context};
use shared_events::{Line, Template};

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// By mail.
    Mail,
    /// By text message.
    Sms,
}

impl Channel {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Mail => "mail",
            Channel::Sms => "sms",
        }
    }
}

/// One message's template. Of a mail the first line is the subject.
struct Wording {
    channel: Channel,
    template: Template,
    text: &'static str,
}

macro_rules! wording {
    ($channel:ident $template:ident $file:literal) => {
        Wording {
            channel: Channel::$channel,
            template: Template::$template,
            text: include_str!(concat!("../templates/", $file)),
        }
    };
}

const WORDINGS: [Wording; 9] = [
    wording!(Mail Confirmed "confirmed.txt"),
    wording!(Mail CancellationRequested "cancellation_requested.txt"),
    wording!(Mail Dispatched "dispatched.txt"),
    wording!(Mail TooLateToCancel "too_late_to_cancel.txt"),
    wording!(Mail Delivered "delivered.txt"),
    wording!(Mail Cancelled "cancelled.txt"),
    wording!(Mail Undone "undone.txt"),
    wording!(Sms Dispatched "dispatched.sms.txt"),
    wording!(Sms TooLateToCancel "too_late_to_cancel.sms.txt"),
];

/// Whether a message that may have been sent is sent again. Nobody can be asked, so each template says.
#[must_use]
pub fn resend(channel: Channel, template: Template) -> bool {
    match (channel, template) {
        // A mail sent twice under one Message-ID is one mail to its reader; one that is missing is missed.
        (
            Channel::Mail,
            Template::Confirmed
            | Template::CancellationRequested
            | Template::Dispatched
            | Template::TooLateToCancel
            | Template::Delivered
            | Template::Cancelled
            | Template::Undone,
        ) => true,
        // A text message rings the phone each time, costs money each time, and only repeats what the mail says.
        (Channel::Sms, _) => false,
    }
}

/// All templates, parsed.
pub struct Templates {
    parsed: Environment<'static>,
}

impl Templates {
    /// Parses them. They are part of the program, so that an error here is a mistake in it.
    ///
    /// # Errors
    /// Names the template and the line that does not parse.
    pub fn parse() -> Result<Templates, Error> {
        let mut parsed = Environment::new();
        parsed.set_undefined_behavior(UndefinedBehavior::Strict);
        for Wording { channel, template, text } in &WORDINGS {
            let (subject, body) = match channel {
                Channel::Mail => text.split_once('\n').unwrap_or((text, "")),
                Channel::Sms => ("", *text),
            };
            parsed.add_template_owned(name(*channel, *template, "subject"), subject)?;
            parsed.add_template_owned(name(*channel, *template, "body"), body)?;
        }
        Ok(Templates { parsed })
    }

    /// Subject and body of a mail to a person of this name.
    ///
    /// # Errors
    /// When there is no such template, or it names what this mail does not know.
    pub fn mail(&self, mail: &SendMail, addressee: &str) -> Result<(String, String), Error> {
        let lines: Vec<Value> = mail.about.lines.iter().map(line).collect();
        let mut facts =
            vec![("order_id", Value::from(&*mail.order_id)), ("name", addressee.into()), ("lines", lines.into())];
        // What the event does not know is left out: a template that names it fails, instead of writing "none".
        facts.extend(mail.about.total.as_ref().map(|total| ("total", total.to_string().into())));
        facts.extend(mail.about.reason.map(|reason| ("reason", reason.as_str().into())));
        self.render(Channel::Mail, mail.template, Value::from_pairs(facts))
    }

    /// The text of a text message.
    ///
    /// # Errors
    /// When there is no such template, or it names what this message does not know.
    pub fn sms(&self, sms: &SendSms) -> Result<String, Error> {
        self.render(Channel::Sms, sms.template, context! { order_id => &*sms.order_id }).map(|(_, text)| text)
    }

    fn render(&self, channel: Channel, template: Template, facts: Value) -> Result<(String, String), Error> {
        let part = |part| self.parsed.get_template(&name(channel, template, part))?.render(&facts);
        Ok((part("subject")?, part("body")?))
    }
}

fn line(line: &Line) -> Value {
    context! { sku => &*line.sku, quantity => line.quantity }
}

fn name(channel: Channel, template: Template, part: &str) -> String {
    format!("{}/{template}/{part}", channel.as_str())
}
