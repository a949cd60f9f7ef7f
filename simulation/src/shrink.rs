//! Makes the history of a broken seed smaller: faults and orders are switched off one by one for as long as the same
//! invariant still breaks.

use crate::{
    fault::Fault,
    plan::{Narrowed, Plan},
    stage::{Care, Outcome, play},
};
use std::collections::BTreeSet;

/// The smallest history found that still breaks the invariant which `outcome` breaks.
///
/// # Errors
/// When a history cannot be played.
pub fn shrink(seed: u64, mut narrowed: Narrowed, mut outcome: Outcome) -> Result<(Narrowed, Outcome), String> {
    let mut smaller = true;
    while smaller {
        smaller = false;
        for candidate in candidates(&Plan::of(seed, &narrowed), &narrowed) {
            let tried = play(Plan::of(seed, &candidate), Care::default())?;
            if same(&tried, &outcome) {
                (narrowed, outcome, smaller) = (candidate, tried, true);
                break;
            }
        }
    }
    Ok((narrowed, outcome))
}

fn same(one: &Outcome, other: &Outcome) -> bool {
    let invariant = |outcome: &Outcome| outcome.broken.as_ref().map(|broken| broken.invariant.clone());
    invariant(one).is_some() && invariant(one) == invariant(other)
}

/// Everything that is smaller by one thing, with half of the orders gone at once to begin with.
fn candidates(plan: &Plan, narrowed: &Narrowed) -> Vec<Narrowed> {
    let numbers: BTreeSet<usize> = plan.orders.iter().map(|order| order.number).collect();
    let only = |orders: BTreeSet<usize>| Narrowed { orders: Some(orders), ..narrowed.clone() };
    let half = numbers.len() / 2;
    let halves = [numbers.iter().take(half).copied().collect(), numbers.iter().skip(half).copied().collect()];
    let halves = halves.into_iter().filter(|_| numbers.len() > 3).map(only);
    let without = |fault: &Fault| {
        let without = narrowed.without.iter().copied().chain([*fault]).collect();
        Narrowed { without, ..narrowed.clone() }
    };
    let faults = plan.faults.iter().map(without);
    let orders = numbers
        .iter()
        .filter(|_| numbers.len() > 1)
        .map(|gone| only(numbers.iter().copied().filter(|number| number != gone).collect()));
    halves.chain(faults).chain(orders).collect()
}
