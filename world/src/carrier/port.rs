//! The shipping service's port, answered in the same process, and the carrier's reports as that service takes them.

use super::{Answer, Booking, Carrier, NAME, Report, ReportKind};
use crate::NoAnswer;
use shipping::{
    carrier::{BookRequest, CarrierAnswer, CarrierError},
    reports,
};

impl shipping::carrier::Carrier for Carrier {
    async fn book(&self, key: &str, request: &BookRequest) -> Result<CarrierAnswer, CarrierError> {
        let BookRequest { order_id, name, street, city, postal_code, country } = request.clone();
        let booking = Booking { order_id, name, street, city, postal_code, country };
        Ok(Carrier::book(self, key, booking).await?.into())
    }

    async fn hand_over(&self, key: &str, order_id: &str, label: &str) -> Result<CarrierAnswer, CarrierError> {
        Ok(Carrier::hand_over(self, key, order_id, label).await?.into())
    }

    async fn cancel(&self, key: &str, order_id: &str, label: &str) -> Result<CarrierAnswer, CarrierError> {
        Ok(Carrier::cancel(self, key, order_id, label).await?.into())
    }

    async fn find(&self, key: &str) -> Result<Option<CarrierAnswer>, CarrierError> {
        Ok(Carrier::find(self, key).await?.map(CarrierAnswer::from))
    }
}

impl From<Answer> for CarrierAnswer {
    fn from(answer: Answer) -> CarrierAnswer {
        match answer {
            Answer::Booked { label } => CarrierAnswer::Booked { label, carrier: NAME.to_owned() },
            Answer::NotServed { code } => CarrierAnswer::NotServed { code },
            Answer::Accepted => CarrierAnswer::Accepted,
            Answer::AlreadyCollected => CarrierAnswer::AlreadyCollected,
            Answer::LabelVoid => CarrierAnswer::LabelVoid,
        }
    }
}

impl From<NoAnswer> for CarrierError {
    fn from(why: NoAnswer) -> CarrierError {
        CarrierError::Unavailable(why.to_string())
    }
}

impl From<Report> for reports::Report {
    fn from(report: Report) -> reports::Report {
        let kind = match report.kind {
            ReportKind::Dispatched => reports::ReportKind::Dispatched,
            ReportKind::Tracking { place } => reports::ReportKind::Tracking { place },
            ReportKind::Delivered => reports::ReportKind::Delivered,
        };
        reports::Report { order_id: report.order_id, report_id: report.report_id, kind }
    }
}
