//! What operators ask about orders is counted from the events, and learned anew after a start.

use crate::shop::{Shop, request};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use order::{figures::OrderFigures, requests::placed_at};
use runtime::{LogRow, Micros, Position, Read, telemetry::Figures};
use shared_events::{
    inventory::StockReleased,
    payment::PaymentVoided,
    shipping::{ShipmentCancelled, ShipmentDelivered, ShipmentDispatched, ShipmentScheduled},
};
use std::sync::Arc;

const MINUTE: Micros = 60_000_000;

/// Metrics of one test.
struct Metrics(PrometheusRecorder);

impl Metrics {
    fn new() -> Metrics {
        Metrics(PrometheusBuilder::new().build_recorder())
    }

    fn counted<R>(&self, count: impl FnOnce() -> R) -> R {
        metrics::with_local_recorder(&self.0, count)
    }

    /// The value of a series, named as it is rendered.
    fn value(&self, series: &str) -> Option<f64> {
        let rendered = self.0.handle().render();
        rendered.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
    }

    fn open(&self, older_than: &str) -> Option<f64> {
        self.value(&format!("tutti_orders_open{{older_than=\"{older_than}\"}}"))
    }

    fn outstanding(&self, participant: &str, older_than: &str) -> Option<f64> {
        self.value(&format!("tutti_undo_outstanding{{participant=\"{participant}\",older_than=\"{older_than}\"}}"))
    }
}

fn log(shop: &Shop) -> Vec<Arc<LogRow>> {
    shop.store.log_after(0, Position::default(), 1000).unwrap()
}

/// One order that is open, one whose undo waits for payment and shipping, one completed, one undone; and when.
async fn shop() -> (Shop, Micros) {
    let shop = Shop::open();
    let [open, undoing, completed, undone] = ["open", "undoing", "completed", "undone"];
    let open = shop.placed(open, &request()).await;
    let undoing = shop.placed(undoing, &request()).await;
    assert_eq!(shop.cancel(&undoing).await.status, 202);
    shop.said(StockReleased { order_id: undoing.clone(), lines: vec![] });
    shop.until(&undoing, |order| order["version"] == 3).await;
    let completed = shop.placed(completed, &request()).await;
    shop.said(ShipmentScheduled { order_id: completed.clone(), label: "L-1".into(), carrier: "Swift".into() });
    shop.until(&completed, |order| order["version"] == 2).await;
    shop.said(ShipmentDispatched { order_id: completed.clone() });
    shop.until(&completed, |order| order["version"] == 3).await;
    shop.said(ShipmentDelivered { order_id: completed.clone(), report_id: "r-1".into() });
    shop.until(&completed, |order| order["settled"] == true).await;
    let undone = shop.placed(undone, &request()).await;
    assert_eq!(shop.cancel(&undone).await.status, 202);
    shop.said(StockReleased { order_id: undone.clone(), lines: vec![] });
    shop.said(PaymentVoided { order_id: undone.clone() });
    shop.said(ShipmentCancelled { order_id: undone.clone() });
    shop.until(&undone, |order| order["settled"] == true).await;
    (shop, placed_at(&open).unwrap() * 1000)
}

#[tokio::test]
async fn after_a_start_open_orders_and_outstanding_undos_are_known_with_their_age() {
    let (shop, placed) = shop().await;
    let (metrics, figures) = (Metrics::new(), OrderFigures::default());
    metrics.counted(|| figures.report(placed));
    assert_eq!(metrics.open("0s"), None, "nothing is told before it is known");
    metrics.counted(|| {
        figures.learn(&shop.store, placed + 6 * MINUTE).unwrap();
        figures.report(placed + 6 * MINUTE);
    });
    let open = ["0s", "1m", "5m", "15m", "1h", "1d"].map(|age| metrics.open(age));
    assert_eq!(open, [2.0, 2.0, 2.0, 0.0, 0.0, 0.0].map(Some));
    for (participant, count) in [("inventory", 0.0), ("payment", 1.0), ("shipping", 1.0)] {
        assert_eq!(metrics.outstanding(participant, "5m"), Some(count), "{participant}");
        assert_eq!(metrics.outstanding(participant, "15m"), Some(0.0), "{participant}");
    }
    assert_eq!(metrics.value("tutti_compensations{reason=\"customer\"}"), None, "the past is not counted again");
}

#[tokio::test]
async fn what_is_committed_is_counted_as_it_comes_and_never_twice() {
    let (shop, placed) = shop().await;
    let (metrics, figures) = (Metrics::new(), OrderFigures::default());
    let nothing = runtime::store::MemoryStore::new(1);
    metrics.counted(|| {
        figures.learn(&nothing, placed).unwrap();
        for row in log(&shop) {
            figures.committed(std::slice::from_ref(&row));
            figures.committed(&[row]);
        }
        figures.report(placed + 2 * MINUTE);
    });
    assert_eq!((metrics.open("1m"), metrics.open("5m")), (Some(2.0), Some(0.0)));
    assert_eq!(metrics.outstanding("inventory", "0s"), Some(0.0));
    assert_eq!(metrics.outstanding("payment", "0s"), Some(1.0));
    assert_eq!(metrics.value("tutti_compensations{reason=\"customer\"}"), Some(2.0));
    for ending in ["completed", "undone"] {
        let settled = metrics.value(&format!("tutti_time_to_settled_seconds_count{{ending=\"{ending}\"}}"));
        assert_eq!(settled, Some(1.0), "{ending}");
    }
}

#[tokio::test]
async fn orders_of_long_ago_are_not_looked_for() {
    let (shop, placed) = shop().await;
    let (metrics, figures) = (Metrics::new(), OrderFigures::default());
    let later = placed + 40 * 24 * 60 * MINUTE;
    metrics.counted(|| {
        figures.learn(&shop.store, later).unwrap();
        figures.report(later);
    });
    assert_eq!(metrics.open("0s"), Some(0.0));
}
