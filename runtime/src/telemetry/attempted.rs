//! The span of one attempt at an effect: a call to the outside world, below the span that asked for the effect.

use super::{
    Spans,
    handled::{context, ended, text},
};
use crate::{clock::Micros, incoming::trace_of, intake::Verdict, perform::Attempt};
use opentelemetry::{
    KeyValue,
    trace::{SpanId, SpanKind, Status},
};

impl Spans {
    /// Takes the span of an attempt that is over.
    pub(crate) fn attempted(&self, attempt: &Attempt, verdict: &Verdict, from: Micros, until: Micros) {
        let Some(sink) = self.sink() else { return };
        let asked = trace_of(&attempt.row.trace, &attempt.row.key);
        if !sink.takes(&asked) {
            return;
        }
        let attributes = vec![
            text("tutti.key", attempt.row.key.clone()),
            text("tutti.effect.key", attempt.key.clone()),
            KeyValue::new("tutti.effect.attempt", i64::from(attempt.number)),
            KeyValue::new("tutti.effect.asked_first", attempt.ask_first),
        ];
        let (span, parent) = (context(&attempt.span), SpanId::from(asked.span_id));
        let name = attempt.row.name.clone().into();
        let mut span = ended(sink, span, parent, SpanKind::Client, name, (from, until), attributes);
        let (kind, why) = match verdict {
            Verdict::Definite(..) => return sink.take(vec![span]),
            Verdict::Again(why) => ("unclear", why),
            Verdict::Stuck(why) => ("stuck", why),
        };
        span.attributes.push(KeyValue::new("error.type", kind));
        span.status = Status::error(why.clone());
        sink.take(vec![span]);
    }
}
