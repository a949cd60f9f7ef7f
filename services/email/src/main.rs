//! The email service as a process of its own.

use email::{
    domain::{SendMail, SendSms},
    mail::{
        self, Mailer,
        sms::{HttpSms, SMS_URL},
        smtp::{PATIENCE, SMTP_URL, SmtpPost, TIMEOUT},
    },
};
use runtime::{
    performer,
    process::{self, Site, StartError, Wired},
};
use shared_events::email::Event;
use std::{process::ExitCode, sync::Arc};

fn main() -> ExitCode {
    process::main(wire)
}

fn wire(site: &Site) -> Result<Wired<Event>, StartError> {
    let sms = HttpSms::new(site.env.url(&SMS_URL)?, mail::TIMEOUT).map_err(StartError::unusable)?;
    let post = SmtpPost::new(site.env.url(&SMTP_URL)?, sms, PATIENCE).map_err(StartError::setting)?;
    let (post, keyring) = (Arc::new(post), site.keyring()?);
    let mailer = || Mailer::new(post.clone(), keyring.clone(), TIMEOUT).map_err(StartError::unusable);
    Ok(Wired::new(email::service()).performed_by(vec![
        performer::<SendMail>(mailer()?, site.clock.clone()),
        performer::<SendSms>(mailer()?, site.clock.clone()),
    ]))
}
