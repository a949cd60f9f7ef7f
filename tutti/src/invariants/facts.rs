//! What is remembered of each order while the evidence goes by: bits and sums, some 300 bytes with its place, so that a million orders
//! can be held against all invariants in a few hundred megabytes.

use super::{
    said::{Said, Set},
    shelves::Shelves,
};
use shared_events::{Line, Money, Participant, Template};
use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

/// Orders in one piece.
const PIECE: usize = 4096;

/// Everything that is remembered.
#[derive(Default)]
pub(super) struct Facts {
    /// In pieces of one size, in the order in which they were first heard of: what grows is never copied.
    orders: Vec<Vec<(u128, Order)>>,
    /// Where each order is among them.
    places: HashMap<u128, (u32, u32)>,
    /// The ids that are not 32 hexadecimal digits, which no shop of ours makes.
    names: BTreeMap<u128, String>,
    /// The stock of each article, as inventory's log goes by.
    pub shelves: Shelves,
    /// Rows read, over all logs.
    pub events: u64,
}

/// An order in the evidence.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Order {
    /// What was said about it in everything that was read.
    pub said: Set,
    /// What of it had been said before the first book was opened.
    pub marked: Set,
    /// Events that were said more than once.
    pub twice: Set,
    /// Rows about it, over all logs.
    pub rows: u32,
    /// A row about it is not yet taken by everyone who reads it.
    pub moving: bool,
    /// A record about it is parked.
    pub parked: bool,
    /// Its trace; 0 until one is seen.
    pub trace: u128,
    /// What it costs.
    pub total: Sum,
    /// What was ordered, reserved, and given back or taken along: what of which article, as a hash.
    pub ordered: u64,
    pub held: u64,
    pub released: u64,
    pub deducted: u64,
    /// What payment says was taken and given back.
    pub paid: Sum,
    pub repaid: Sum,
    /// What the gateway's ledger says, and how many entries that are.
    pub captured: Sum,
    pub refunded: Sum,
    pub captures: u8,
    /// A refund stands in the ledger before any capture.
    pub refund_first: bool,
    pub parcel: ParcelFacts,
    /// Who was named by `OrderCancelled`, and who by `OrderUndoProgressed`, as bits.
    pub closed_at_cancel: u8,
    pub closed_later: u8,
    pub mail: MailFacts,
    /// What callers were promised about it.
    pub promise: PromiseFacts,
}

/// What the carrier's book says about an order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ParcelFacts {
    pub labels: u8,
    /// Labels that are neither void nor collected.
    pub live: u8,
    pub out: bool,
    pub delivered: bool,
    /// A parcel is out although its label is void.
    pub out_and_void: bool,
    pub under_way: bool,
}

/// What a customer was told, one bit per template.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MailFacts {
    /// Mails that the order's events lead to.
    pub caused: u8,
    /// Those of them that must have been sent, or given up, once the order is at rest.
    pub due: u8,
    /// What email says it sent, by mail and by text message.
    pub sent: [u8; 2],
    /// What of it was said before the mailbox was opened.
    pub sent_marked: [u8; 2],
    /// Mails that email says it cannot send.
    pub failed: u8,
    /// What lies in the mailbox, by mail and by text message.
    pub boxed: [u8; 2],
    /// Templates that lie there under two ids.
    pub twice: u8,
    /// Mails in the order of their arrival, as digits of base 8; a template is its place in [`Template::ALL`] plus 1.
    pub sequence: u32,
    /// A message of no template.
    pub foreign: bool,
}

/// What callers were promised about an order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PromiseFacts {
    pub accepted: bool,
    pub total: Option<i64>,
    pub cancelled: bool,
}

/// Money added up. Sums in several currencies equal nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub minor: i64,
    /// The code's letters; 0 while nothing was added.
    currency: u32,
}

impl Sum {
    pub fn of(money: &Money) -> Sum {
        let mut sum = Sum::default();
        sum.add(money.amount_minor, &money.currency);
        sum
    }

    pub fn add(&mut self, minor: i64, currency: &str) {
        let code = currency.bytes().fold(0, |code: u32, letter| code.wrapping_mul(256).wrapping_add(u32::from(letter)));
        self.currency = if self.currency == 0 || self.currency == code { code } else { u32::MAX };
        self.minor = self.minor.saturating_add(minor);
    }

    pub fn is_zero(self) -> bool {
        self.minor == 0
    }
}

impl Order {
    pub fn settled(&self) -> bool {
        self.said.any(&[Said::OrderCompleted, Said::OrderUndone])
    }

    /// It had ended before anything else was looked at.
    pub fn settled_when_marked(&self) -> bool {
        self.marked.any(&[Said::OrderCompleted, Said::OrderUndone])
    }

    /// Nothing of it was under way between the services.
    pub fn is_still(&self) -> bool {
        !self.moving && !self.parked
    }

    pub fn at_rest(&self) -> bool {
        self.settled_when_marked() && self.is_still()
    }
}

impl Facts {
    /// What is remembered of an order, from now on.
    pub fn order(&mut self, id: &str) -> &mut Order {
        let (key, named) = key_of(id);
        if named {
            self.names.entry(key).or_insert_with(|| id.to_owned());
        }
        let (piece, place) = *self.places.entry(key).or_insert_with(|| {
            if self.orders.last().is_none_or(|piece| piece.len() == PIECE) {
                self.orders.push(Vec::with_capacity(PIECE));
            }
            let piece = self.orders.len() - 1;
            self.orders[piece].push((key, Order::default()));
            (piece as u32, self.orders[piece].len() as u32 - 1)
        });
        &mut self.orders[piece as usize][place as usize].1
    }

    /// All orders with their ids.
    pub fn orders(&self) -> impl Iterator<Item = (String, &Order)> {
        self.orders.iter().flatten().map(|(key, order)| (self.name(*key), order))
    }

    pub fn count(&self) -> u64 {
        self.orders().filter(|(_, order)| order.said.has(Said::OrderPlaced)).count() as u64
    }

    pub fn open(&self) -> u64 {
        self.orders().filter(|(_, order)| order.said.has(Said::OrderPlaced) && !order.settled()).count() as u64
    }

    fn name(&self, key: u128) -> String {
        self.names.get(&key).cloned().unwrap_or_else(|| format!("{key:032x}"))
    }
}

/// An id as a number, and whether it must be remembered as text because the number does not say it.
fn key_of(id: &str) -> (u128, bool) {
    let hex = id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    match u128::from_str_radix(id, 16) {
        Ok(key) if hex => (key, false),
        _ => ((u128::from(hash(&(id, 1))) << 64) | u128::from(hash(&(id, 2))), true),
    }
}

/// A hash that is the same in every run of one build; nothing is stored under it.
pub(super) fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// How many of what, over all lines, whatever their order; 0 for no lines.
pub(super) fn units(lines: &[Line]) -> BTreeMap<&str, i64> {
    let mut units = BTreeMap::new();
    for line in lines {
        let sum: &mut i64 = units.entry(&*line.sku).or_default();
        *sum = sum.saturating_add(line.quantity);
    }
    units
}

pub(super) fn hash_of(lines: &[Line]) -> u64 {
    if lines.is_empty() { 0 } else { hash(&units(lines)).max(1) }
}

pub(super) fn bit_of(participant: Participant) -> u8 {
    1 << participant as u8
}

/// A template's place, from 0.
pub(super) fn place_of(template: Template) -> u8 {
    Template::ALL.iter().zip(0..).find(|(t, _)| **t == template).map_or(7, |(_, place)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_orders_fit_into_a_few_hundred_megabytes() {
        let bytes = size_of::<(u128, Order)>() + 2 * size_of::<(u128, (u32, u32))>();
        assert!(bytes <= 320, "{bytes}");
    }

    #[test]
    fn ids_that_are_no_numbers_keep_their_names() {
        let mut facts = Facts::default();
        facts.order("0000000000000000000000000000002a").rows = 1;
        facts.order("an order").rows = 2;
        let mut named: Vec<_> = facts.orders().map(|(id, order)| (id, order.rows)).collect();
        named.sort();
        assert_eq!(named, [("0000000000000000000000000000002a".into(), 1), ("an order".into(), 2)]);
    }
}
