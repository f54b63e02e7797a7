//! Objects with a name and a payload whose type depends on the name.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, missing};
use crate::json::{Json, JsonObject};
use crate::record::{Field, IfAbsent, RecordSchema, members};

/// A payload for one name.
pub(super) trait Payload: JsonSchema {
    /// The member that holds the name.
    const TAG: &'static str;
    /// The name.
    const NAME: &'static str;
    /// The payload to use if it is absent; `None` if it is required.
    const IF_ABSENT: IfAbsent;
}

macro_rules! payloads {
    ($tag:literal, $if_absent:expr, $($payload:ident = $name:literal,)*) => {$(
        impl $crate::realtime::pair::Payload for $payload {
            const TAG: &'static str = $tag;
            const NAME: &'static str = $name;
            const IF_ABSENT: $crate::record::IfAbsent = $if_absent;
        }
    )*};
}

pub(super) use payloads;

/// The members of a pair before its payload is read.
pub(super) fn take(json: Json, tag: &str) -> Decoded<(Json, JsonObject)> {
    let mut members = members(json)?;
    match members.shift_remove(tag) {
        Some(name) => Ok((name, members)),
        None => Err(missing(tag, Json::Object(members))),
    }
}

pub(super) fn serialize<S: Serializer, N: Serialize, P: Serialize>(
    serializer: S,
    (tag, name): (&'static str, N),
    payload: &P,
) -> Result<S::Ok, S::Error> {
    let mut out = serializer.serialize_map(Some(2))?;
    out.serialize_entry(tag, &name)?;
    out.serialize_entry("payload", payload)?;
    out.end()
}

/// The schema of a name and its payload.
pub(super) struct Pair<P>(PhantomData<P>);

impl<P: Payload> JsonSchema for Pair<P> {
    fn schema_name() -> Cow<'static, str> {
        let payload = P::schema_name();
        Cow::Owned(payload.strip_suffix("Payload").unwrap_or(&payload).to_owned())
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let doc = format!("The {} `{}` with its payload.", P::TAG, P::NAME);
        let mut schema = RecordSchema::new(generator, &[&doc]);
        schema.tag(P::TAG, P::NAME);
        schema.field::<P>(Field {
            name: "payload",
            doc: &["The payload."],
            if_absent: P::IF_ABSENT,
            alias: None,
            range: None,
            constant: None,
        });
        schema.finish()
    }
}
