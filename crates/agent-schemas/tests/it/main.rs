//! What the crate promises to others: the peer's recorded behavior, and properties of all values.

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
mod peer_type;
mod request;
mod round_trip;
mod schema;
mod schema_fields;
mod schemas;
mod schemas_openai;
mod semantics;
mod strategy;
mod support;
mod vendors;
