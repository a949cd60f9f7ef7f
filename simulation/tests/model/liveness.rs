//! From everywhere there is a way to where all orders are settled.

use crate::{fixed::hash_of, stand::Stand};
use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
};

/// Every step that was taken, backwards, and the stands in which nothing is left to do.
#[derive(Default)]
pub struct Ways(Mutex<Graph>);

#[derive(Default)]
struct Graph {
    came_from: HashMap<u64, Vec<u64>>,
    met: HashSet<u64>,
    at_rest: HashSet<u64>,
}

impl Ways {
    /// A step leads from one stand to another.
    pub fn note(&self, before: &Stand, after: &Stand) {
        let (from, to) = (hash_of(before), hash_of(after));
        let is_end = after.busy().next().is_none() && after.orders.keys().all(|id| after.is_settled(id));
        let mut graph = self.0.lock().expect("noting does not panic");
        graph.came_from.entry(to).or_default().push(from);
        graph.met.extend([from, to]);
        if is_end {
            graph.at_rest.insert(to);
        }
    }

    /// How many stands there are from which no way leads to a settled end, and how many stands there are.
    pub fn lost(&self) -> (usize, usize) {
        let graph = self.0.lock().expect("noting does not panic");
        let mut reached = graph.at_rest.clone();
        let mut ends: Vec<u64> = reached.iter().copied().collect();
        while let Some(end) = ends.pop() {
            let before = graph.came_from.get(&end).into_iter().flatten();
            ends.extend(before.filter(|before| reached.insert(**before)));
        }
        (graph.met.len() - reached.len(), graph.met.len())
    }
}
