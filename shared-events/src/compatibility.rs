//! The rule that lets services be deployed one by one: every version of an event reads every other one.

use crate::catalog::SchemaFile;
use apache_avro::{
    Schema,
    schema_compatibility::{Compatibility, SchemaCompatibility},
};

/// See [`crate::catalog::check_compatibility`].
pub(crate) fn check(files: &[SchemaFile]) -> Result<usize, Vec<String>> {
    let (mut pairs, mut wrong) = (0, Vec::new());
    for (at, writer) in files.iter().enumerate() {
        let others = files.iter().enumerate().filter(|(other, file)| *other != at && of_one_event(writer, file));
        for (other, reader) in others {
            pairs += usize::from(at < other);
            wrong.extend(misfit(writer, reader).err());
        }
    }
    if wrong.is_empty() { Ok(pairs) } else { Err(wrong) }
}

fn of_one_event(a: &SchemaFile, b: &SchemaFile) -> bool {
    (a.topic, a.name) == (b.topic, b.name)
}

/// Says why what `writer` wrote cannot always be read as `reader`.
fn misfit(writer: &SchemaFile, reader: &SchemaFile) -> Result<(), String> {
    let (topic, name, from, to) = (writer.topic, writer.name, writer.version, reader.version);
    match SchemaCompatibility::can_read(&parse(writer)?, &parse(reader)?) {
        Ok(Compatibility::Full) => Ok(()),
        Ok(Compatibility::Partial) => {
            Err(format!("`{topic}/{name}`: version {to} reads only some of what version {from} writes"))
        }
        Err(why) => Err(format!("`{topic}/{name}`: version {to} cannot read what version {from} writes: {why}")),
    }
}

fn parse(file: &SchemaFile) -> Result<Schema, String> {
    Schema::parse_str(file.text)
        .map_err(|why| format!("schemas/{}/{}.v{}.avsc is no Avro schema: {why}", file.topic, file.name, file.version))
}
