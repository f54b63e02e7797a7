//! JSON Schemas (draft 2020-12) of the wire types, for programs in other languages.
//!
//! [`bundle`] has all types in one document; [`document`] has one type and its dependencies. The schemas describe the
//! canonical form: what the library writes, and what clients should write. The reader is more lenient: for example, it
//! accepts numbers and booleans given as strings.
//!
//! - In a written type every field is required: it is always present, null or not.
//! - If the server accepts a type with fewer required fields, that form has the suffix `Input`.
//! - `additionalProperties: true` means that unknown members are kept. Otherwise they are accepted and dropped.
//! - `discriminator` is OpenAPI's keyword for the member that distinguishes the alternatives of a `oneOf`.
//!
//! ```
//! let message = agent_schemas::export::document("Message").unwrap();
//! assert_eq!(message.get("title").and_then(|title| title.as_str()), Some("Message"));
//! ```

mod compare;
mod forms;
mod order;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use crate::json::{Json, JsonObject};
pub use compare::{Change, compare};
pub use types::{Direction, ExportedType, types};

/// The file name of the [`bundle`].
pub const BUNDLE_FILE: &str = "agent-runtime.schema.json";

/// The common prefix of every document's `$id`.
pub const ID_PREFIX: &str = "urn:agent-runtime:schema:";

/// The version of the schemas, which is that of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The schemas of all exported types and their dependencies, by name. References have the form `#/$defs/NAME`.
pub fn definitions() -> BTreeMap<String, Json> {
    forms::definitions(&types())
}

/// All schemas as one document, under `$defs`.
pub fn bundle() -> Json {
    let mut document = head("agent-runtime");
    document.insert("title".to_owned(), Json::from("AgentRuntime"));
    document.insert(
        "description".to_owned(),
        Json::from(
            "The wire types of the agent runtime. Any value matches this document; use its definitions.",
        ),
    );
    document.insert("$defs".to_owned(), Json::Object(definitions().into_iter().collect()));
    Json::from(document)
}

/// The schema of one type as a document; `None` if the name is not among the [`definitions`].
pub fn document(name: &str) -> Option<Json> {
    document_of(name, &definitions())
}

/// The given definitions and their dependencies, with `prefix` in front of the name in every reference. An OpenAPI
/// document has them under `#/components/schemas/`.
pub fn components(names: &[&str], prefix: &str) -> JsonObject {
    let definitions = definitions();
    let mut needed: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    needed.extend(names.iter().flat_map(|name| reachable(name, &definitions)));
    let led = |schema| forms::map_references(schema, &|name| format!("{prefix}{name}"));
    let component = |name: String| definitions.get(&name).map(|schema| (name, led(schema)));
    needed.into_iter().filter_map(component).collect()
}

/// The files of an export: the name and text of the [`bundle`] and of each type's [`document`].
pub fn files() -> Vec<(String, String)> {
    let definitions = definitions();
    let documents = definitions
        .keys()
        .filter_map(|name| Some((format!("{name}.schema.json"), document_of(name, &definitions)?)));
    let all = std::iter::once((BUNDLE_FILE.to_owned(), bundle())).chain(documents);
    all.map(|(name, document)| (name, to_text(&document))).collect()
}

/// The JSON text of a schema, indented and with a trailing line break.
pub fn to_text(schema: &Json) -> String {
    serde_json::to_string_pretty(schema).unwrap_or_default() + "\n"
}

fn head(name: &str) -> JsonObject {
    crate::object! {
        "$schema" => "https://json-schema.org/draft/2020-12/schema",
        "$id" => format!("{ID_PREFIX}{VERSION}:{name}"),
        "x-version" => VERSION,
    }
}

fn document_of(name: &str, definitions: &BTreeMap<String, Json>) -> Option<Json> {
    let mut document = head(name);
    document.extend(definitions.get(name)?.as_object()?.clone());
    let needed = reachable(name, definitions);
    let inner = needed.iter().filter_map(|name| Some((name.clone(), definitions.get(name)?.clone())));
    if !needed.is_empty() {
        document.insert("$defs".to_owned(), Json::Object(inner.collect()));
    }
    Some(Json::from(document))
}

/// The names that a definition refers to, directly or indirectly.
fn reachable(name: &str, definitions: &BTreeMap<String, Json>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(schema) = open.pop().and_then(|name| definitions.get(&name)) {
        for target in forms::references(schema) {
            if reached.insert(target.clone()) {
                open.push(target);
            }
        }
    }
    reached
}
