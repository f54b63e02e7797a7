//! The SQL of sessions.

pub(super) mod anonymous;
pub(super) mod append;
pub(super) mod change;
mod place;
pub(super) mod read;
pub(super) mod sweep;

#[cfg(test)]
pub(super) use {
    anonymous::STATEMENTS as ANONYMOUS, append::STATEMENTS as APPEND, change::STATEMENTS as CHANGE,
    read::STATEMENTS as READ, sweep::STATEMENTS as SWEEP,
};
