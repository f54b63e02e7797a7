//! The promises of the crate: upstream's recorded behavior, and properties of all values.
#![expect(non_snake_case, reason = "tests are named subject__condition__result")]

mod builder;
mod chat;
mod error;
mod float;
mod fold;
mod merge;
mod merge_chunks;
mod merge_golden;
mod openai;
mod openai_golden;
mod request;
mod round_trip;
mod schema;
mod schema_fields;
mod schemas;
mod schemas_openai;
mod semantics;
mod strategy;
mod support;
mod upstream_type;
mod vendors;
