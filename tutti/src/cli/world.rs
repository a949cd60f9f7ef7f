//! `tutti world show|set`: how the payment gateway, the carrier and the mail behave. Break them, and watch it heal.

use super::args::WorldCommand;
use crate::{client::Client, failure::Failure, screen::Screen, table::Table};
use serde_json::{Map, Value};

/// Does what was asked about the outside world.
pub(super) async fn run(what: WorldCommand, shop: &Client, screen: &Screen) -> Result<(), Failure> {
    let settings: Value = match what {
        WorldCommand::Show => shop.get(&["world"], &[]).await?,
        WorldCommand::Set { settings } => shop.patch(&["world"], &nested(&settings)?).await?,
    };
    if screen.json {
        return screen.document(&settings);
    }
    let mut table = Table::new(&["setting", "value"]);
    for (name, value) in flat("", &settings) {
        table.row(vec![name.into(), value.into()]);
    }
    screen.say(table.render(screen))
}

/// `carrier.collects=false` as `{"carrier":{"collects":false}}`; several settings in one document.
///
/// # Errors
/// When one is not `KEY=VALUE`, or contradicts another.
pub(crate) fn nested(settings: &[String]) -> Result<Value, Failure> {
    let mut document = Map::new();
    for setting in settings {
        let wrong =
            || Failure::Usage(format!("`{setting}` is not KEY=VALUE; write for example carrier.collects=false"));
        let (name, value) = setting.split_once('=').ok_or_else(wrong)?;
        // What is no JSON is text, so that nobody has to quote for two readers.
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        put(&mut document, name, value).ok_or_else(wrong)?;
    }
    Ok(Value::Object(document))
}

fn put(document: &mut Map<String, Value>, name: &str, value: Value) -> Option<()> {
    let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
    if first.is_empty() {
        return None;
    }
    match rest {
        None => document.insert(first.to_owned(), value).is_none().then_some(()),
        Some(rest) => {
            let inner = document.entry(first).or_insert_with(|| Value::Object(Map::new()));
            put(inner.as_object_mut()?, rest, value)
        }
    }
}

fn flat(prefix: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| {
                flat(&if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") }, value)
            })
            .collect(),
        Value::String(text) => vec![(prefix.to_owned(), text.clone())],
        other => vec![(prefix.to_owned(), other.to_string())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn strings(settings: &[&str]) -> Vec<String> {
        settings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn settings_become_one_document() {
        let document =
            nested(&strings(&["carrier.collects=false", "carrier.name=Post", "gateway.decline=0.2"])).unwrap();
        assert_eq!(document, json!({"carrier": {"collects": false, "name": "Post"}, "gateway": {"decline": 0.2}}));
        assert_eq!(flat("", &document)[0], ("carrier.collects".into(), "false".into()));
    }

    #[test]
    fn what_is_no_setting_is_named() {
        for wrong in [&["collects"][..], &["=1"], &["a..b=1"], &["a=1", "a.b=2"], &["a=1", "a=2"]] {
            let error = nested(&strings(wrong)).unwrap_err();
            assert!(error.to_string().contains(wrong.last().unwrap()), "{error}");
        }
    }
}
