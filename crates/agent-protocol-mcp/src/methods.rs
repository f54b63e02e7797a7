//! The methods that answer at once.

pub(crate) mod completion;
pub(crate) mod prompts;
pub(crate) mod resources;
pub(crate) mod tools;
