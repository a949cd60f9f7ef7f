//! The schemas as the Avro library wants them, parsed once for the life of the process.

use crate::{
    catalog::{SchemaFile, schemas},
    learned::learned,
};
use apache_avro::{
    Schema, error::Details, reader::datum::GenericDatumReader, types::Value, util::max_allocation_bytes,
    writer::datum::GenericDatumWriter,
};
use std::{cmp::Ordering, sync::LazyLock};

/// The most that one length prefix may make the library allocate. The library's own limit of 512 MiB would let a
/// single broken datum take the process down; no event comes near this one.
const MAX_ALLOCATION: usize = 4 * 1024 * 1024;

/// A schema with what the fast paths need of it, all references resolved.
pub(crate) struct Parsed {
    file: &'static SchemaFile,
    schema: &'static Schema,
    pub(crate) writer: GenericDatumWriter<'static>,
    pub(crate) reader: GenericDatumReader<'static>,
}

static SCHEMAS: LazyLock<Result<Vec<(&SchemaFile, Schema)>, String>> = LazyLock::new(|| {
    max_allocation_bytes(MAX_ALLOCATION);
    let parse = |file: &'static SchemaFile| {
        let schema = Schema::parse_str(file.text).map_err(|why| unusable(file, &why))?;
        Ok((file, schema))
    };
    schemas().iter().map(parse).collect()
});

/// Sorted, for the search.
static PARSED: LazyLock<Result<Vec<Parsed>, String>> = LazyLock::new(|| {
    let prepare = |(file, schema): &'static (&'static SchemaFile, Schema)| {
        Parsed::of(file, schema).map_err(|why| unusable(file, &why))
    };
    let all = SCHEMAS.as_ref().map_err(String::clone)?.iter();
    let mut all = all.map(prepare).collect::<Result<Vec<_>, _>>()?;
    all.sort_by(|a, b| a.order(b.file.topic, b.file.name, b.file.version));
    Ok(all)
});

impl Parsed {
    fn of(file: &'static SchemaFile, schema: &'static Schema) -> Result<Parsed, apache_avro::Error> {
        let writer = GenericDatumWriter::builder(schema).human_readable(false).build()?;
        let reader = GenericDatumReader::builder(schema).human_readable(false).build()?;
        Ok(Parsed { file, schema, writer, reader })
    }

    fn order(&self, topic: &str, name: &str, version: u16) -> Ordering {
        (self.file.name, self.file.version, self.file.topic).cmp(&(name, version, topic))
    }
}

/// The parsed schema of one event in one version.
pub(crate) fn parsed(topic: &str, name: &str, version: u16) -> Result<&'static Parsed, String> {
    let all = PARSED.as_ref().map_err(String::clone)?;
    match all.binary_search_by(|parsed| parsed.order(topic, name, version)) {
        Ok(at) => Ok(&all[at]),
        Err(_) => Err(unknown(topic, name, version)),
    }
}

fn unusable(file: &SchemaFile, why: &apache_avro::Error) -> String {
    format!("schemas/{}/{}.v{}.avsc is no usable Avro schema: {why}", file.topic, file.name, file.version)
}

/// The schema alone, also of a newer version that was learned.
pub(crate) fn schema(topic: &str, name: &str, version: u16) -> Result<&'static Schema, String> {
    match parsed(topic, name, version) {
        Ok(parsed) => Ok(parsed.schema),
        Err(unknown) => learned(topic, name, version).ok_or(unknown),
    }
}

fn unknown(topic: &str, name: &str, version: u16) -> String {
    let known = schemas().iter().filter(|file| (file.topic, file.name) == (topic, name));
    match known.map(|file| file.version).max() {
        None => format!("`{name}` is no event of topic `{topic}` that this build knows"),
        Some(newest) => format!(
            "this build knows `{name}` of topic `{topic}` in versions 1 to {newest}, not in version {version}; a newer build reads it"
        ),
    }
}

/// See [`crate::catalog::version_of`].
pub(crate) fn version_of(files: &[SchemaFile], topic: &str, name: &str, text: &str) -> Result<Option<u16>, String> {
    let canonical = |text: &str| Schema::parse_str(text).map(|schema| schema.canonical_form());
    let wanted = canonical(text).map_err(|why| format!("it is no Avro schema: {}", brief(&why)))?;
    for file in files.iter().filter(|file| (file.topic, file.name) == (topic, name)) {
        if canonical(file.text).map_err(|why| unusable(file, &why))? == wanted {
            return Ok(Some(file.version));
        }
    }
    Ok(None)
}

/// Reads a whole datum the slow way, resolving what `writer` wrote to `reader` where that is another schema.
pub(crate) fn read(writer: &Schema, reader: Option<&Schema>, mut datum: &[u8]) -> Result<Value, String> {
    let resolving = GenericDatumReader::builder(writer).maybe_reader_schema(reader).human_readable(false).build();
    let value = resolving.and_then(|resolving| resolving.read_value(&mut datum)).map_err(|why| brief(&why))?;
    nothing_left(datum)?;
    // At the end of the bytes the library reads some missing values as null instead of failing.
    if value.validate(reader.unwrap_or(writer)) { Ok(value) } else { Err("it is cut off".into()) }
}

/// A datum is read to its last byte, or it is something else.
pub(crate) fn nothing_left(rest: &[u8]) -> Result<(), String> {
    match rest.len() {
        0 => Ok(()),
        more => Err(format!("{more} bytes follow its end")),
    }
}

/// The library's error without the whole schema that it likes to quote.
pub(crate) fn brief(why: &apache_avro::Error) -> String {
    match why.details() {
        Details::DeserializeSchemaAware { value_type, value, .. }
        | Details::SerializeValueWithSchema { value_type, value, .. } => format!("{value_type}: {value}"),
        Details::SerializeRecordFieldWithSchema { field_name, error, .. } => format!("field `{field_name}`: {error}"),
        other => other.to_string().chars().take(200).collect(),
    }
}
