//! What the crate promises to others: the peer's recorded behavior, and properties of all values.

mod builder;
mod error;
mod float;
mod fold;
mod openai;
mod openai_golden;
mod request;
mod round_trip;
mod schemas_openai;
mod semantics;
mod strategy;
mod support;
