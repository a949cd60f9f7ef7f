//! Reads the books of the outside world into what is remembered of each order.

use super::{
    evidence::{Books, Entry, Message, Parcel, Progress, Promise, VerifyError},
    facts::{Facts, place_of},
};
use shared_events::Template;

/// Rows read at once.
const PAGE: usize = 2_000;
/// Digits of base 8 that a sequence of mails holds.
const SEQUENCE: u32 = 1 << 27;

/// Reads all three books.
pub(super) fn read(books: &dyn Books, facts: &mut Facts, progress: &dyn Progress) -> Result<(), VerifyError> {
    progress.begin("the gateway's ledger", 0);
    let page = |after| books.entries(after, PAGE);
    each("the gateway's ledger", page, |entry: &Entry| entry.id, progress, |entry| take_entry(facts, &entry))?;
    progress.begin("the carrier's book", 0);
    let page = |after| books.parcels(after, PAGE);
    each("the carrier's book", page, |parcel: &Parcel| parcel.id, progress, |parcel| take_parcel(facts, &parcel))?;
    progress.begin("the mailbox", 0);
    let page = |after| books.messages(after, PAGE);
    each("the mailbox", page, |message: &Message| message.id, progress, |message| take_message(facts, &message))
}

/// Notes what callers were promised.
pub(super) fn promised(promises: &[Promise], facts: &mut Facts) {
    for Promise { order_id, total_minor, cancelled } in promises {
        let promise = &mut facts.order(order_id).promise;
        promise.accepted = true;
        promise.total = promise.total.or(*total_minor);
        promise.cancelled |= cancelled;
    }
}

fn each<R>(
    book: &'static str,
    page: impl Fn(i64) -> Result<Vec<R>, String>,
    id: impl Fn(&R) -> i64,
    progress: &dyn Progress,
    mut take: impl FnMut(R),
) -> Result<(), VerifyError> {
    let mut after = 0;
    loop {
        let page = page(after).map_err(|why| VerifyError::Book { book, why })?;
        let Some(last) = page.last() else { return Ok(()) };
        after = id(last);
        let rows = page.len() as u64;
        page.into_iter().for_each(&mut take);
        progress.done(rows);
    }
}

fn take_entry(facts: &mut Facts, entry: &Entry) {
    if !entry.succeeded {
        return;
    }
    let order = facts.order(&entry.order_id);
    if entry.refund {
        order.refund_first |= order.captures == 0;
        order.refunded.add(entry.amount_minor, &entry.currency);
    } else {
        order.captures = order.captures.saturating_add(1);
        order.captured.add(entry.amount_minor, &entry.currency);
    }
}

fn take_parcel(facts: &mut Facts, it: &Parcel) {
    let parcel = &mut facts.order(&it.order_id).parcel;
    parcel.labels = parcel.labels.saturating_add(1);
    parcel.live = parcel.live.saturating_add(u8::from(!it.void && !it.out));
    parcel.out |= it.out;
    parcel.delivered |= it.delivered;
    parcel.out_and_void |= it.out && it.void;
    parcel.under_way |= it.under_way;
}

/// Copies under one Message-ID are listed once, so whatever comes a second time has another one.
fn take_message(facts: &mut Facts, message: &Message) {
    let mail = &mut facts.order(&message.order_id).mail;
    let Some(template) = Template::ALL.iter().find(|template| template.as_str() == message.template) else {
        mail.foreign = true;
        return;
    };
    let place = place_of(*template);
    let channel = usize::from(message.sms);
    mail.twice |= mail.boxed[channel] & (1 << place);
    mail.boxed[channel] |= 1 << place;
    if !message.sms && mail.sequence < SEQUENCE {
        mail.sequence = mail.sequence * 8 + u32::from(place) + 1;
    }
}
