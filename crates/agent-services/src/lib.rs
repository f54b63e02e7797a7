//! Everything with state, behind traits.
//!
//! | trait | what it keeps | backends |
//! |---|---|---|
//! | [`RunStore`](run::RunStore) | the event logs of runs | [`InMemoryRunStore`](run::InMemoryRunStore) |
//!
//! Each trait's documentation states a numbered contract; each line of it is one function of the conformance suite
//! (feature `conformance`), which every backend passes.

pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
pub mod run;

pub use error::{Error, ErrorKind, Result};
