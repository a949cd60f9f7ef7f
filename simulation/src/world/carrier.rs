//! The simulated carrier: labels, collections, and reports that come out of order and repeat.

use super::{Books, NoAnswer, ParcelEntry, Part, World};
use crate::{
    counters::Situation,
    fault::Fault,
    life::Life,
    plan::SECOND,
    sim::{Event, Sim},
};
use shipping::{
    carrier::{BookRequest, Carrier, CarrierAnswer, CarrierError},
    reports::{Report, ReportKind},
};
use std::sync::Arc;
use tutti::invariants::Parcel;

/// Something that the carrier does by itself.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Comes for a parcel.
    Collect(usize),
    /// Reports on a parcel, for the nth time.
    Report {
        /// The parcel.
        parcel: usize,
        /// 0 for dispatched, 1 for seen, 2 for delivered.
        stage: u8,
        /// How often it was sent before.
        attempt: u32,
    },
    /// Reports on an order that it has nothing of.
    Stray(usize),
}

/// The carrier as one process reaches it.
pub struct SimCarrier {
    world: World,
    life: Arc<Life>,
}

impl SimCarrier {
    /// The carrier as this process reaches it.
    #[must_use]
    pub fn new(world: World, life: Arc<Life>) -> SimCarrier {
        SimCarrier { world, life }
    }
}

type Answer = Result<CarrierAnswer, NoAnswer>;

fn unavailable(why: NoAnswer) -> CarrierError {
    CarrierError::Unavailable(format!("{why:?}"))
}

impl Carrier for SimCarrier {
    async fn book(&self, key: &str, request: &BookRequest) -> Result<CarrierAnswer, CarrierError> {
        let (key, request) = (key.to_owned(), request.clone());
        let booked = self.world.carry(Part::Carrier, &self.life, move |world| world.book(&key, &request));
        booked.await.map_err(unavailable)
    }

    async fn hand_over(&self, key: &str, order_id: &str, label: &str) -> Result<CarrierAnswer, CarrierError> {
        let (key, order_id, label) = (key.to_owned(), order_id.to_owned(), label.to_owned());
        let noted = self.world.carry(Part::Carrier, &self.life, move |world| world.hand_over(&key, &order_id, &label));
        noted.await.map_err(unavailable)
    }

    async fn cancel(&self, key: &str, order_id: &str, label: &str) -> Result<CarrierAnswer, CarrierError> {
        let (key, order_id, label) = (key.to_owned(), order_id.to_owned(), label.to_owned());
        let voided = self.world.carry(Part::Carrier, &self.life, move |world| world.void(&key, &order_id, &label));
        voided.await.map_err(unavailable)
    }

    async fn find(&self, key: &str) -> Result<Option<CarrierAnswer>, CarrierError> {
        let key = key.to_owned();
        let found = self.world.carry(Part::Carrier, &self.life, move |world| {
            let found = world.books().calls.get(&key).map(|(_, answer)| answer.clone());
            if found.is_some() {
                world.sim.saw(Situation::AskedFirst);
            }
            Ok(found)
        });
        found.await.map_err(unavailable)
    }
}

fn not_served(code: &str) -> CarrierAnswer {
    CarrierAnswer::NotServed { code: code.to_owned() }
}

impl World {
    fn book(&self, key: &str, request: &BookRequest) -> Answer {
        let mut books = self.books();
        if let Some((order_id, answer)) = books.calls.get(key) {
            let same = *order_id == request.order_id;
            return Ok(if same { answer.clone() } else { not_served("idempotency_key_reused") });
        }
        let answer = if request.country == "XX" {
            not_served("country_not_served")
        } else if request.street.trim().is_empty() {
            not_served("address_refused")
        } else {
            CarrierAnswer::Booked { label: books.label_for(&request.order_id), carrier: "Weißer Pfeil".into() }
        };
        self.sim.note(|| format!("the carrier books {}: {answer:?}", request.order_id));
        Ok(books.answered(key, &request.order_id, answer))
    }

    fn hand_over(&self, key: &str, order_id: &str, label: &str) -> Answer {
        let mut books = self.books();
        if let Some((_, answer)) = books.calls.get(key) {
            return Ok(answer.clone());
        }
        let never = self.sim.never_collected(order_id);
        let Some((place, parcel)) = books.parcel(order_id, label) else { return Err(NoAnswer::NotDone) };
        if parcel.parcel.void {
            return Ok(books.answered(key, order_id, CarrierAnswer::LabelVoid));
        }
        let comes = !never;
        if !parcel.parcel.under_way && !parcel.parcel.out {
            parcel.parcel.under_way = comes;
            if comes {
                let after = self.sim.pace(|dice| dice.magnitude(SECOND / 100, self.sim.plan.collected_after));
                self.sim.at(self.sim.now() + after, Event::Carrier(Deed::Collect(place)));
            }
        }
        self.sim.note(|| format!("the carrier may collect {order_id}"));
        Ok(books.answered(key, order_id, CarrierAnswer::Accepted))
    }

    fn void(&self, key: &str, order_id: &str, label: &str) -> Answer {
        let mut books = self.books();
        if let Some((_, answer)) = books.calls.get(key) {
            return Ok(answer.clone());
        }
        let Some((_, parcel)) = books.parcel(order_id, label) else { return Err(NoAnswer::NotDone) };
        let answer = if parcel.parcel.out {
            self.sim.saw(Situation::CancelRaceLost);
            CarrierAnswer::AlreadyCollected
        } else {
            (parcel.parcel.void, parcel.parcel.under_way) = (true, false);
            CarrierAnswer::Accepted
        };
        self.sim.note(|| format!("the carrier is to void the label of {order_id}: {answer:?}"));
        Ok(books.answered(key, order_id, answer))
    }

    /// The carrier comes. Whether the parcel may leave is held against the logs by whoever drives the history.
    pub fn collect(&self, place: usize) -> Option<String> {
        let mut books = self.books();
        let parcel = books.parcels.get_mut(place).filter(|it| !it.parcel.void && !it.parcel.out)?;
        (parcel.parcel.out, parcel.unreported) = (true, 0b111);
        let order_id = parcel.parcel.order_id.clone();
        drop(books);
        self.sim.note(|| format!("the carrier collects {order_id}"));
        for (stage, after) in self.journey() {
            self.sim.at(self.sim.now() + after, Event::Carrier(Deed::Report { parcel: place, stage, attempt: 0 }));
        }
        Some(order_id)
    }

    /// When the stages are reported after the collection; in their order unless reports get shuffled.
    fn journey(&self) -> Vec<(u8, i64)> {
        let sim: &Sim = &self.sim;
        let transit = sim.pace(|dice| dice.magnitude(SECOND / 100, sim.plan.transit));
        let mut stages = vec![0_u8, 1, 2];
        let shuffled = sim.strikes(Fault::Reports, 0.5);
        let next = |n: u8, stages: &mut Vec<u8>| {
            let chosen = if shuffled { sim.draw(Fault::Reports, |dice| dice.below(stages.len() as u64)) } else { 0 };
            (stages.remove(usize::try_from(chosen).unwrap_or(0)), SECOND / 100 + transit / 2 * i64::from(n))
        };
        let journey: Vec<_> = (0..3).map(|n| next(n, &mut stages)).collect();
        if journey.first().is_some_and(|(stage, _)| *stage == 2) {
            sim.saw(Situation::ReportFirstDelivered);
        }
        journey
    }

    /// What the carrier says about a stage of a parcel.
    #[must_use]
    pub fn report(&self, place: usize, stage: u8) -> Option<Report> {
        let mut books = self.books();
        let parcel = books.parcels.get_mut(place)?;
        parcel.parcel.delivered |= stage == 2;
        let (order_id, label) = (parcel.parcel.order_id.clone(), &parcel.label);
        let (kind, suffix) = match stage {
            0 => (ReportKind::Dispatched, "dispatched"),
            1 => (ReportKind::Tracking { place: "Leipzig".into() }, "tracking-1"),
            _ => (ReportKind::Delivered, "delivered"),
        };
        Some(Report { order_id, report_id: format!("{label}-{suffix}"), kind })
    }

    /// A report was accepted; perhaps the carrier does not notice.
    pub fn reported(&self, place: usize, stage: u8, attempt: u32) {
        if self.sim.strikes(Fault::Reports, 0.2) {
            self.sim.saw(Situation::ReportAgain);
            let later = self.sim.draw(Fault::Reports, |dice| dice.magnitude(SECOND / 10, 600 * SECOND));
            let again = Deed::Report { parcel: place, stage, attempt: attempt + 1 };
            self.sim.at(self.sim.now() + later, Event::Carrier(again));
        }
        if let Some(parcel) = self.books().parcels.get_mut(place) {
            parcel.unreported &= !(1 << stage);
            if parcel.unreported == 0 {
                parcel.parcel.under_way = false;
            }
        }
    }
}

impl Books {
    fn label_for(&mut self, order_id: &str) -> String {
        let id = Books::number(self.parcels.len());
        let label = format!("WP{id:06}");
        let parcel =
            Parcel { id, order_id: order_id.to_owned(), out: false, delivered: false, void: false, under_way: false };
        self.parcels.push(ParcelEntry { parcel, label: label.clone(), unreported: 0 });
        label
    }

    fn answered(&mut self, key: &str, order_id: &str, answer: CarrierAnswer) -> CarrierAnswer {
        self.calls.insert(key.to_owned(), (order_id.to_owned(), answer.clone()));
        answer
    }

    fn parcel(&mut self, order_id: &str, label: &str) -> Option<(usize, &mut ParcelEntry)> {
        self.parcels.iter_mut().enumerate().find(|(_, it)| it.label == label && it.parcel.order_id == order_id)
    }
}
