//! The SQL of runs.

pub(super) mod cancel;
pub(super) mod create;
mod dictionary;
mod ended;
mod ending;
pub(super) mod entries;
pub(super) mod finish;
mod head;
pub(super) mod log;
pub(super) mod notifications;
pub(super) mod owners;
mod pack;
pub(super) mod read;
mod request;
pub(super) mod retention;
pub(super) mod steered;
pub(super) mod steps;
pub(super) mod turns;

pub(super) use owners::forget_all as forget_owners;
#[cfg(test)]
pub(super) use {
    create::STATEMENTS as CREATE, ended::STATEMENTS as ENDED, ending::STATEMENTS as ENDING,
    entries::STATEMENTS as ENTRIES, head::STATEMENTS as HEAD, log::STATEMENTS as LOG,
    owners::STATEMENTS as OWNERS, read::STATEMENTS as READ, request::STATEMENTS as REQUEST,
    retention::STATEMENTS as RETENTION, steered::STATEMENTS as STEERED, steps::STATEMENTS as STEPS,
    turns::STATEMENTS as TURNS,
};
