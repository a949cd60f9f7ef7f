//! Whether the files of a shop are of the same time. In one process a service's log is its topic, so nothing could ever
//! tell readers apart from it again: events would be numbered like ones that they have read, and be taken for seen.

use super::StartError;
use runtime::{Position, StoreError, store::Read};
use std::sync::Arc;

/// Refuses a log that ends before what another service has read of it: its file is an older copy.
///
/// # Errors
/// Names the file, and what to do.
pub(super) fn refuse_older_files(stores: &[(&'static str, Arc<dyn Read>)]) -> Result<(), StartError> {
    let unusable = |e: StoreError| StartError::Data(e.to_string());
    for (source, log) in stores {
        let lead = log.lead().map_err(unusable)?;
        let end = Position { generation: lead.generation, seq: lead.head };
        for (reader, store) in stores {
            let cursors = store.cursors().map_err(unusable)?;
            if let Some(ahead) = cursors.iter().find(|row| row.source == *source && row.at > end) {
                return Err(StartError::Data(format!(
                    "{source}.db ends at event {}, but {reader}.db has read event {} of it: it was lost, or is an older \
                     copy. In one process the log is the topic, so nothing else has what is missing: restore the whole \
                     data directory from one backup, or begin anew with `tutti reset`",
                    end.seq, ahead.at.seq
                )));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::{
        record::CursorRow,
        store::{Batch, MemoryStore, Store},
    };

    #[test]
    fn a_file_that_is_older_than_what_was_read_of_it_is_named() {
        let (order, mut payment) = (MemoryStore::new(7), MemoryStore::new(8));
        let stores = |payment: &MemoryStore| -> [(&'static str, Arc<dyn Read>); 2] {
            [("order", Arc::new(order.clone())), ("payment", Arc::new(payment.clone()))]
        };
        let mut read_up_to = |generation, seq| {
            let at = Position { generation, seq };
            let cursor = CursorRow { source: "order".into(), lane: 0, at, offset_hint: None };
            let lead = payment.begin_reign("here", 1).unwrap();
            payment.commit(&Batch { lead, cursors: vec![cursor], ..Batch::default() }).unwrap();
            payment.clone()
        };
        assert!(refuse_older_files(&stores(&read_up_to(6, 99))).is_ok(), "an older log than this one");
        assert!(refuse_older_files(&stores(&read_up_to(7, 0))).is_ok());
        let why = refuse_older_files(&stores(&read_up_to(7, 1))).unwrap_err().to_string();
        assert!(why.contains("order.db ends at event 0") && why.contains("tutti reset"), "{why}");
    }
}
