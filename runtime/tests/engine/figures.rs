//! What is counted as the engine works: an operator sees gaps, lag, retries, batches and what waits.

use crate::support::{
    clock::SECOND,
    desk::Desk,
    service::{Act, left},
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use runtime::{
    LogRow, Micros, Record,
    telemetry::{Figures, refresh},
};
use std::sync::{Arc, Mutex};

/// A desk on this thread, with metrics of its own.
fn counted(test: impl FnOnce(Desk, &PrometheusHandle)) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || test(Desk::new(), &handle));
}

/// The value of a series of the desk, named as it is rendered.
fn value(metrics: &PrometheusHandle, name: &str, labels: &str) -> Option<f64> {
    let series = format!("{name}{{service=\"desk\"{labels}}} ");
    metrics.render().lines().find_map(|line| line.strip_prefix(&series)?.parse().ok())
}

const LEFT: &str = ",source=\"left\"";

#[test]
fn a_gap_shows_until_it_is_mended() {
    counted(|mut desk, metrics| {
        desk.left(1, "a", Act::Note);
        desk.settle();
        assert_eq!(value(metrics, "tutti_gap_open", LEFT), Some(0.0));
        desk.left(2, "a", Act::Note);
        desk.left(3, "a", Act::Note);
        desk.bus.lose("left", 2);
        desk.settle();
        desk.pass_time(5 * SECOND);
        assert_eq!(
            (value(metrics, "tutti_gap_open", LEFT), value(metrics, "tutti_gaps", LEFT)),
            (Some(1.0), Some(1.0))
        );
        desk.bus.mend();
        desk.pass_time(5 * SECOND);
        assert_eq!(
            (value(metrics, "tutti_gap_open", LEFT), value(metrics, "tutti_gaps", LEFT)),
            (Some(0.0), Some(1.0))
        );
    });
}

#[test]
fn the_age_of_what_is_taken_is_the_lag() {
    counted(|mut desk, metrics| {
        let said = desk.now() - 7 * SECOND;
        let told = left::Told { key: "a".into(), n: 1, act: Act::Note };
        let record = crate::support::bus::record(1, &left::Event::from(told));
        desk.bus.put(Record { row: Arc::new(LogRow { at: said, ..(*record.row).clone() }), ..record });
        desk.settle();
        assert_eq!(value(metrics, "tutti_lag_seconds", LEFT), Some(7.0));
    });
}

#[test]
fn batches_events_and_attempts_are_counted() {
    counted(|mut desk, metrics| {
        (1..=3).for_each(|seq| desk.left(seq, "a", Act::NoteAndCook));
        desk.settle();
        desk.world.take_one().unclear();
        desk.settle();
        assert_eq!(value(metrics, "tutti_events", ""), Some(3.0));
        assert_eq!(value(metrics, "tutti_batch_inputs_sum", ""), Some(3.0));
        assert_eq!(value(metrics, "tutti_commit_seconds_count", ""), value(metrics, "tutti_commits", ""));
        assert_eq!(value(metrics, "tutti_unpublished", ""), Some(0.0));
        assert_eq!(value(metrics, "tutti_work_retried", ",effect=\"Cook\""), Some(1.0));
    });
}

/// Figures that remember what they were told.
#[derive(Default)]
struct Heard(Mutex<(Vec<u64>, Vec<Micros>)>);

impl Figures for Heard {
    fn committed(&self, rows: &[Arc<LogRow>]) {
        self.0.lock().unwrap().0.extend(rows.iter().map(|row| row.seq));
    }
    fn report(&self, now: Micros) {
        self.0.lock().unwrap().1.push(now);
    }
}

#[test]
fn a_services_own_figures_are_told_of_each_commit_and_asked_when_somebody_looks() {
    counted(|mut desk, metrics| {
        let heard = Arc::<Heard>::default();
        desk.handle().keep_figures(heard.clone());
        desk.left(1, "a", Act::Note);
        desk.settle();
        desk.left(2, "b", Act::Panic);
        desk.left(3, "a", Act::Note);
        desk.settle();
        assert_eq!(heard.0.lock().unwrap().0, [1, 2]);
        assert!(heard.0.lock().unwrap().1.is_empty());
        let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
        tokio.block_on(refresh(&[desk.handle()])).unwrap();
        assert_eq!(heard.0.lock().unwrap().1.len(), 1);
        assert_eq!(value(metrics, "tutti_log_head", ""), Some(2.0));
        assert_eq!(value(metrics, "tutti_parked_open", ""), Some(1.0));
        assert_eq!(value(metrics, "tutti_ready", ""), Some(1.0));
    });
}
