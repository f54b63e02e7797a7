//! The SQL of sessions.

pub(super) mod append;
pub(super) mod change;
mod place;
pub(super) mod read;

#[cfg(test)]
pub(super) use {append::STATEMENTS as APPEND, change::STATEMENTS as CHANGE, read::STATEMENTS as READ};
