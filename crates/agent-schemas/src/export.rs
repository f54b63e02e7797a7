//! JSON Schemas (draft 2020-12) of the wire types, for programs in other languages.
//!
//! [`bundle`] has all of them in one document; [`document`] is one type with what it is made of. The schemas describe
//! the canonical form: what the library writes, and what clients should. Reading is more lenient: numbers and booleans
//! may be strings, for example.
//!
//! - A type that is written has all its fields as required ones: they are always there, null or not.
//! - Where the server reads a type in a form with fewer required fields, that form has `Input` behind its name.
//! - `additionalProperties: true` says that unknown members are kept. Without it they are accepted and dropped.
//! - `discriminator` is OpenAPI's keyword for the member that tells the alternatives of a `oneOf` apart.
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

/// What the `$id` of every document begins with.
pub const ID_PREFIX: &str = "urn:agent-runtime:schema:";

/// The version of the schemas: that of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The schema of every exported type and of what they are made of, by name. References lead to `#/$defs/NAME`.
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
            "The wire types of the agent runtime. This document accepts everything; use its definitions.",
        ),
    );
    document.insert("$defs".to_owned(), Json::Object(definitions().into_iter().collect()));
    Json::from(document)
}

/// The schema of one type as a document of its own; `None` for a name that is not among the [`definitions`].
pub fn document(name: &str) -> Option<Json> {
    document_of(name, &definitions())
}

/// The definitions that some of them need, themselves included, with references that lead to `prefix` and the name,
/// as an OpenAPI document has them under `#/components/schemas/`.
pub fn components(names: &[&str], prefix: &str) -> JsonObject {
    let definitions = definitions();
    let mut needed: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    needed.extend(names.iter().flat_map(|name| reachable(name, &definitions)));
    let led = |schema| forms::map_references(schema, &|name| format!("{prefix}{name}"));
    let component = |name: String| definitions.get(&name).map(|schema| (name, led(schema)));
    needed.into_iter().filter_map(component).collect()
}

/// The files of an export: the name and the text of the [`bundle`] and of each type's [`document`].
pub fn files() -> Vec<(String, String)> {
    let definitions = definitions();
    let documents = definitions
        .keys()
        .filter_map(|name| Some((format!("{name}.schema.json"), document_of(name, &definitions)?)));
    let all = std::iter::once((BUNDLE_FILE.to_owned(), bundle())).chain(documents);
    all.map(|(name, document)| (name, to_text(&document))).collect()
}

/// The JSON text of a schema, indented, with a line break at its end.
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

/// The names that a definition refers to, directly or not.
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
