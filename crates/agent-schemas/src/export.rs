//! JSON Schemas of the wire types, for programs in other languages.

mod types;

pub use types::{Direction, ExportedType, types};
