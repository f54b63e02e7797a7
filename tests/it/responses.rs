//! The Responses API: the contents of its streams, which are well-formed whatever an agent does.

mod agents;
pub(crate) mod app;
mod bad;
mod chains;
mod conversations;
pub(crate) mod random;
mod requests;
mod snapshots;
mod socket;
mod stored;
mod trimmed;
mod upstream;
