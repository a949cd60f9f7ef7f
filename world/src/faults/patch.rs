//! Partial updates of the faults: only what a patch names changes, and an error names the field.

use super::Faults;
use serde_json::{Map, Value};

/// A fault that cannot be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct BadFault {
    /// The field, as `gateway.decline`; empty when the whole patch is wrong.
    pub field: String,
    /// What is wrong with it, and what to write instead.
    pub problem: String,
}

impl BadFault {
    pub(super) fn new(field: impl Into<String>, problem: impl Into<String>) -> BadFault {
        BadFault { field: field.into(), problem: problem.into() }
    }
}

impl Faults {
    /// These faults with what `patch` names replaced: `{"gateway":{"fail":0.5}}` changes that one value.
    ///
    /// # Errors
    /// Names the first field that does not exist, has the wrong type or is out of its range; nothing changes then.
    pub fn patched(self, patch: &Value) -> Result<Faults, BadFault> {
        let groups = patch.as_object().ok_or_else(|| not_an_object("", patch))?;
        let mut faults = self;
        for (group, values) in groups {
            faults = faults.with_group(group, values)?;
        }
        faults.check()?;
        Ok(faults)
    }

    fn with_group(self, group: &str, values: &Value) -> Result<Faults, BadFault> {
        let mut tree = self.tree();
        let known = tree.get_mut(group).and_then(Value::as_object_mut).ok_or_else(|| unknown(group, &self.tree()))?;
        let mut faults = self;
        for (name, value) in values.as_object().ok_or_else(|| not_an_object(group, values))? {
            let field = format!("{group}.{name}");
            let slot = known.get(name).cloned().ok_or_else(|| unknown(&field, known))?;
            faults = faults.with(group, name, value).ok_or_else(|| wrong_type(&field, &slot, value))?;
        }
        Ok(faults)
    }

    /// With one value replaced, or nothing if it has the wrong type for its place.
    fn with(self, group: &str, name: &str, value: &Value) -> Option<Faults> {
        let mut tree = self.tree();
        *tree.get_mut(group)?.get_mut(name)? = value.clone();
        serde_json::from_value(Value::Object(tree)).ok()
    }

    fn tree(self) -> Map<String, Value> {
        // Faults are plain numbers and booleans in named groups, so they always are an object.
        match serde_json::to_value(self) {
            Ok(Value::Object(tree)) => tree,
            _ => Map::new(),
        }
    }
}

fn unknown(field: &str, known: &Map<String, Value>) -> BadFault {
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    BadFault::new(field, format!("there is no such setting; there are: {}", names.join(", ")))
}

fn not_an_object(field: &str, found: &Value) -> BadFault {
    BadFault::new(field, format!("{found} is no object; write for example {{\"gateway\":{{\"fail\":0.5}}}}"))
}

fn wrong_type(field: &str, slot: &Value, found: &Value) -> BadFault {
    let wanted = match slot {
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number from 0 to 1",
        _ => "a whole number of milliseconds",
    };
    BadFault::new(field, format!("{found} does not fit; write {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let start = Faults::default().patched(&json!({"post": {"delay_ms": 7}})).expect("valid");
        let faults = start
            .patched(&json!({"gateway": {"fail": 0.5, "slow_ms": 10}, "carrier": {"collects": false}}))
            .expect("valid");
        assert_eq!(faults.gateway.fail, 0.5);
        assert_eq!(faults.gateway.slow_ms, 10);
        assert!(!faults.carrier.collects);
        assert_eq!(faults.gateway.unknown_ms, Faults::default().gateway.unknown_ms);
        assert_eq!(faults.post.delay_ms, 7);
        assert_eq!(faults.patched(&json!({})), Ok(faults));
        assert_eq!(faults.patched(&json!({"gateway": {"fail": 1}})).map(|f| f.gateway.fail), Ok(1.0));
    }

    #[test]
    fn what_cannot_be_set_is_refused_by_name() {
        for (patch, field) in [
            (json!({"gatway": {}}), "gatway"),
            (json!({"gateway": {"declin": 1}}), "gateway.declin"),
            (json!({"gateway": {"decline": "often"}}), "gateway.decline"),
            (json!({"gateway": {"decline": 1.01}}), "gateway.decline"),
            (json!({"carrier": {"repeat_reports": -0.1}}), "carrier.repeat_reports"),
            (json!({"carrier": {"collects": 1}}), "carrier.collects"),
            (json!({"carrier": {"transit_ms": 3_600_001}}), "carrier.transit_ms"),
            (json!({"carrier": {"transit_ms": -1}}), "carrier.transit_ms"),
            (json!({"post": {"delay_ms": 1.5}}), "post.delay_ms"),
            (json!({"post": {"fail": null}}), "post.fail"),
            (json!({"post": 3}), "post"),
            (json!([]), ""),
        ] {
            let bad = Faults::default().patched(&patch).expect_err(&patch.to_string());
            assert_eq!(bad.field, field, "{patch}: {bad}");
        }
    }

    #[test]
    fn options_may_leave_out_what_keeps_its_default_but_not_misspell() {
        let faults: Faults = serde_json::from_value(json!({"gateway": {"slow_ms": 5}})).expect("partial");
        assert_eq!(faults.gateway.slow_ms, 5);
        assert_eq!(faults.carrier, Faults::default().carrier);
        assert!(serde_json::from_value::<Faults>(json!({"gateway": {"slow": 5}})).is_err());
        assert_eq!(faults.check(), Ok(()));
    }
}
