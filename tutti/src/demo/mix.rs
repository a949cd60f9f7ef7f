//! What the burst is made of: kinds of orders, how many of each, and how each should end.

use super::scenario::{
    Ending::{self, Completed, Undone, UndoneOrTooLate},
    Quantity::{TooMany, Units},
    Request,
};

const TEA: Request = Request::of(&[("TEA-001", Units(1))]);
const TEA_AND_CUP: Request = Request::of(&[("TEA-001", Units(1)), ("CUP-001", Units(1))]);

/// One kind of order.
pub struct Kind {
    /// Its name in the table of endings.
    pub name: &'static str,
    /// What is ordered.
    pub request: Request,
    /// Whether its customer cancels at once.
    pub cancels: bool,
    /// Of [`WHOLE`] orders, how many are of this kind.
    pub share: usize,
    /// How it should end.
    pub ends: Ending,
}

const fn kind(name: &'static str, request: Request, share: usize, ends: Ending) -> Kind {
    Kind { name, request, cancels: false, share, ends }
}

/// The kinds; what one of them ends like never depends on another.
pub const KINDS: &[Kind] = &[
    kind("tok_ok", TEA, 30, Completed),
    kind("tok_ok, two lines", TEA_AND_CUP, 18, Completed),
    kind("tok_flaky", TEA.paid_with("tok_flaky"), 8, Completed),
    kind("tok_timeout_then_success", TEA.paid_with("tok_timeout_then_success"), 6, Completed),
    kind("tok_slow", TEA.paid_with("tok_slow"), 4, Completed),
    kind("tok_unknown", TEA.paid_with("tok_unknown"), 4, Completed),
    kind("tok_declined", TEA.paid_with("tok_declined"), 8, Undone("payment_declined")),
    kind("tok_insufficient_funds", TEA.paid_with("tok_insufficient_funds"), 4, Undone("payment_declined")),
    kind("country XX", TEA.to("XX"), 6, Undone("no_carrier")),
    kind("more than there is", Request::of(&[("TEA-001", Units(1)), ("POT-RARE", TooMany)]), 4, Undone("out_of_stock")),
    Kind { name: "cancelled at once", request: TEA, cancels: true, share: 8, ends: UndoneOrTooLate },
];

/// What the shares add up to.
pub const WHOLE: usize = 100;

/// The kind of the order with this number. Kinds alternate, so that each of them meets the kill; a step that has no
/// divisor with 100 in common visits every place before it comes back to the first.
#[must_use]
pub fn kind_of(number: usize) -> &'static Kind {
    let mut place = number * 37 % WHOLE;
    for kind in KINDS {
        if place < kind.share {
            return kind;
        }
        place -= kind.share;
    }
    &KINDS[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_every_hundred_has_them() {
        assert_eq!(KINDS.iter().map(|kind| kind.share).sum::<usize>(), WHOLE);
        for kind in KINDS {
            let of_this_kind = (300..400).filter(|n| kind_of(*n).name == kind.name).count();
            assert_eq!(of_this_kind, kind.share, "{}", kind.name);
        }
    }

    #[test]
    fn a_kind_named_after_a_card_is_paid_with_it() {
        for kind in KINDS.iter().filter(|kind| kind.name.starts_with("tok_")) {
            assert_eq!(kind.name.split(',').next(), Some(kind.request.token), "{}", kind.name);
        }
    }
}
