//! What must not be reported: a shop that is right, at rest and at any moment before.

use crate::scene::{CALLED_BACK, COMPLETED, NEVER, SERVICES, Shop, every_story};
use order::domain::CancelOrder;
use runtime::{
    LogRow, ParkedRow, Position, Read, StoreError, WorkRow,
    incoming::Reply,
    record::{CursorRow, StateRow},
    store::{Counts, Lead, MemoryStore},
};
use shipping::reports::{Report, ReportKind};
use std::sync::{Arc, Mutex, MutexGuard};
use tutti::{
    invariants::{Books, Entry, Evidence, INVARIANTS, Message, Parcel, Promise, verify},
    screen::Screen,
};

#[test]
fn a_shop_with_every_ending_breaks_no_invariant_and_every_invariant_is_held_against_something() {
    let mut frozen = every_story().freeze();
    let promise =
        |order_id: &str, total, cancelled| Promise { order_id: order_id.into(), total_minor: total, cancelled };
    frozen.promised = vec![promise(COMPLETED, Some(2500), false), promise(CALLED_BACK, None, true)];
    // A parked record of something that was not decided is nothing wrong.
    let row = Arc::new(LogRow { seq: 1, key: NEVER.into(), ..frozen.store("payment").log[0].clone() });
    frozen.store("shipping").parked =
        vec![ParkedRow { id: 1, source: "payment".into(), row, reason: "it is poison".into(), since: 0 }];

    let report = frozen.verify();

    assert_eq!(report.violations, []);
    assert!(report.is_clean());
    assert_eq!((report.orders, report.open, report.at_rest), (8, 1, false));
    let unchecked: Vec<_> = report.invariants.iter().filter(|outcome| outcome.checked == 0).map(|o| &o.name).collect();
    assert_eq!(unchecked, ["not_past_parked"; 0]);
    assert_eq!(report.invariants.len(), INVARIANTS.len());
}

#[test]
fn a_report_reads_as_a_table_and_as_json() {
    let mut frozen = every_story().freeze();
    frozen.parcels.iter_mut().for_each(|parcel| parcel.void |= parcel.order_id == COMPLETED);

    let report = frozen.verify();

    let text = report.render(&Screen::plain());
    assert!(
        text.contains("parcel_not_cancelled 00000000000000000000000000000001: its parcel is out on a void label"),
        "{text}"
    );
    assert!(text.contains("ShipmentDispatched 00000000000000000000000000000001 (cause: command Report)"), "{text}");
    assert!(text.ends_with("8 orders, 117 events, 1 order open: 1 violation"), "{text}");
    let json = serde_json::to_string(&report).expect("JSON");
    assert_eq!(serde_json::from_str::<tutti::invariants::Report>(&json).expect("read back"), report);
}

/// A shop that goes on working between any two reads of a verification.
#[derive(Clone)]
struct Live(Arc<Mutex<Busy>>);

struct Busy {
    shop: Shop,
    ticks: usize,
    placed: usize,
    reported: Vec<(String, tokio::sync::oneshot::Receiver<Reply>)>,
}

const ORDERS: usize = 300;

impl Live {
    fn open() -> Live {
        let mut shop = Shop::open();
        shop.replenish("TEA", 1000);
        shop.replenish("MUG", 30);
        Live(Arc::new(Mutex::new(Busy { shop, ticks: 0, placed: 0, reported: vec![] })))
    }

    fn busy(&self) -> MutexGuard<'_, Busy> {
        self.0.lock().expect("nobody panics while holding it")
    }

    /// One engine makes one step; now and then a customer or the carrier does something.
    fn tick(&self) {
        let mut busy = self.busy();
        busy.ticks += 1;
        let ticks = busy.ticks;
        busy.shop.step(ticks % SERVICES.len());
        match ticks % 17 {
            0 | 5 => busy.place(),
            9 if ticks.is_multiple_of(2) => busy.cancel(ticks / 9),
            3 | 7 | 11 | 15 => busy.carry(ticks),
            _ => {}
        }
    }
}

fn order_id(number: usize) -> String {
    format!("{:032x}", number + 1)
}

impl Busy {
    fn place(&mut self) {
        if self.placed == ORDERS {
            return;
        }
        let (order_id, sku) = (order_id(self.placed), if self.placed.is_multiple_of(3) { "MUG" } else { "TEA" });
        let mut world = self.shop.world.state();
        match self.placed % 7 {
            2 => drop(world.declined.insert(order_id.clone())),
            4 => drop(world.not_served.insert(order_id.clone())),
            _ => {}
        }
        drop(world);
        drop(self.shop.offer("order", crate::scene::order(&order_id, sku, 3), &order_id));
        self.placed += 1;
    }

    fn cancel(&mut self, number: usize) {
        let order_id = order_id(number % ORDERS);
        drop(self.shop.offer("order", CancelOrder { order_id: order_id.clone() }, &order_id));
    }

    /// The carrier collects or delivers a parcel, and reports it. It has nothing more to do with a parcel once its last
    /// report was accepted.
    fn carry(&mut self, ticks: usize) {
        self.reported.retain_mut(|(order_id, accepted)| match accepted.try_recv() {
            Ok(reply) => {
                assert_eq!(reply, Reply::Accepted);
                let mut world = self.shop.world.state();
                world
                    .parcels
                    .iter_mut()
                    .filter(|it| it.order_id == *order_id && it.delivered)
                    .for_each(|it| it.under_way = false);
                false
            }
            Err(_) => true,
        });
        let reported: Vec<String> = self.reported.iter().map(|(id, _)| id.clone()).collect();
        let mut world = self.shop.world.state();
        let mut ready: Vec<_> =
            world.parcels.iter_mut().filter(|it| it.under_way && !reported.contains(&it.order_id)).collect();
        if ready.is_empty() {
            return;
        }
        let next = ticks % ready.len();
        let parcel = &mut *ready[next];
        let kind = if parcel.out { ReportKind::Delivered } else { ReportKind::Dispatched };
        (parcel.delivered, parcel.out) = (parcel.out, true);
        let order_id = parcel.order_id.clone();
        drop(world);
        let report = Report { order_id: order_id.clone(), report_id: format!("{kind:?}"), kind };
        let accepted = self.shop.offer("shipping", report, &order_id);
        self.reported.push((order_id, accepted));
    }
}

/// Reads one store, after everybody has gone on a little.
struct LiveRead {
    live: Live,
    store: MemoryStore,
}

macro_rules! after_a_tick {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $result:ty;)+) => { $(
        fn $name(&self, $($arg: $type),*) -> Result<$result, StoreError> {
            self.live.tick();
            Read::$name(&self.store, $($arg),*)
        }
    )+ };
}

impl Read for LiveRead {
    after_a_tick! {
        fn lead() -> Lead;
        fn log_after(lane: u16, after: Position, limit: usize) -> Vec<Arc<LogRow>>;
        fn log_of(key: &str) -> Vec<Arc<LogRow>>;
        fn state(kind: &str, key: &str) -> Option<StateRow>;
        fn scan(kind: &str, prefix: &str, after: Option<&str>, limit: usize) -> Vec<StateRow>;
        fn work_of(key: &str) -> Vec<WorkRow>;
        fn counts() -> Counts;
        fn parked_after(id: u64, limit: usize) -> Vec<ParkedRow>;
        fn cursors() -> Vec<CursorRow>;
    }
}

impl Books for Live {
    fn entries(&self, after: i64, limit: usize) -> Result<Vec<Entry>, String> {
        self.tick();
        self.busy().shop.freeze_books().entries(after, limit)
    }
    fn parcels(&self, after: i64, limit: usize) -> Result<Vec<Parcel>, String> {
        self.tick();
        self.busy().shop.freeze_books().parcels(after, limit)
    }
    fn messages(&self, after: i64, limit: usize) -> Result<Vec<Message>, String> {
        self.tick();
        self.busy().shop.freeze_books().messages(after, limit)
    }
}

#[test]
fn a_shop_that_goes_on_working_while_it_is_read_never_looks_broken() {
    let live = Live::open();
    let stores = live.busy().shop.stores.clone().map(|store| LiveRead { live: live.clone(), store });
    let [a, b, c, d, e] = &stores;
    let evidence = Evidence { stores: [a, b, c, d, e], books: &live, promised: &[] };
    let mut rounds = 0;
    loop {
        let report = verify(&evidence, &()).expect("memory can be read");
        assert_eq!(report.violations, [], "round {rounds}");
        if report.at_rest && report.orders == ORDERS as u64 {
            break;
        }
        rounds += 1;
        assert!(rounds < 1_000, "the shop never comes to rest");
        // Each verification begins at another moment of the round.
        (0..rounds % 11).for_each(|_| live.tick());
    }
    assert!(rounds > 10, "only {rounds} verifications met a shop at work");
}
