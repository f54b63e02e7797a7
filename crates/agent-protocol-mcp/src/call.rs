//! `tools/call`: a run of the tool's agent.

pub(crate) mod blocks;
pub(crate) mod log;
pub(crate) mod question;
pub(crate) mod spec;
pub(crate) mod stream;
pub(crate) mod translator;
