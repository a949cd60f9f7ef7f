//! The map as a document for people: `docs/choreography.md`.

use super::{asks, mermaid, on, says, story::STORIES};
use choreography::{Saga, ServiceMap};

const HEAD: &str = "\
# The choreography

<!-- Written by `cargo xtask choreography`. Do not edit: CI compares it with the code. -->

Who reacts to what, says what and asks what, read from the types of the services' decisions: a decision's argument is
its subscription, its return type is its declaration. `tutti map` prints the same.
";

/// The whole document.
///
/// # Errors
/// When one of its stories is nothing that the services could play.
pub fn markdown(services: &[ServiceMap], saga: &Saga) -> Result<String, String> {
    let mut text = format!("{HEAD}\n## Who hears whom\n\n```mermaid\n{}\n```\n", mermaid(services));
    for story in STORIES {
        let diagram = story.diagram(services)?;
        text += &format!("\n## {}\n\n{}\n\n```mermaid\n{diagram}\n```\n", story.title, story.about);
    }
    text += &format!("\n## Every decision\n\n{}", decisions(services));
    text += &format!("\n## Every event\n\n{}", events(services, saga));
    text += &format!("\n## Who closes a cancelled order\n\n{}", participants(saga));
    Ok(text)
}

fn decisions(services: &[ServiceMap]) -> String {
    let mut text = String::from("| service | reacts to | says | asks, sets |\n| --- | --- | --- | --- |\n");
    for service in services {
        let name = service.service;
        for row in &service.rows {
            let (on, says, asks) = (on(row), says(row).replace(" | ", ", "), asks(row));
            text += &format!("| [{name}](../services/{name}/src/lib.rs) | {on} | {says} | {asks} |\n");
        }
    }
    text
}

fn events(services: &[ServiceMap], saga: &Saga) -> String {
    let mut text = String::from("| event | said by | read by |\n| --- | --- | --- |\n");
    for service in services {
        for event in service.events {
            let readers = services.iter().filter(|reader| reader.reads(service.service, event)).map(|r| r.service);
            let outside = saga.for_outside.contains(event).then_some("(for outside)");
            let readers: Vec<&str> = readers.chain(outside).collect();
            text += &format!("| {event} | {} | {} |\n", service.service, readers.join(", "));
        }
    }
    text
}

fn participants(saga: &Saga) -> String {
    let mut text = format!(
        "`{}` says `{}`, and each of these answers with exactly one of its closing events:\n\n\
         | participant | closing events |\n| --- | --- |\n",
        saga.owner, saga.undo
    );
    for participant in saga.participants {
        text += &format!("| {} | {} |\n", participant.service, participant.closing.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{map, saga::SAGA};

    #[test]
    fn every_decision_and_every_event_is_in_it() {
        let (services, text) = (map::services(), markdown(&map::services(), &SAGA).unwrap());
        for service in &services {
            assert!(service.events.iter().all(|event| text.contains(&format!("| {event} | {} |", service.service))));
            assert!(service.rows.iter().all(|row| text.contains(&format!("| {} |", on(row)))));
        }
    }

    #[test]
    fn a_table_has_as_many_columns_in_each_row_as_in_its_head() {
        let text = markdown(&map::services(), &SAGA).unwrap();
        let mut columns = None;
        for line in text.lines() {
            let now = line.starts_with('|').then(|| line.matches('|').count());
            assert!(columns.is_none() || now.is_none() || columns == now, "{line}");
            columns = now;
        }
    }
}
