//! The Responses API: the contents of its streams, which are well-formed whatever an agent does.

mod agents;
pub(crate) mod app;
mod bad;
mod chains;
mod compaction;
mod conversations;
mod own_calls;
pub(crate) mod random;
mod references;
mod requests;
mod snapshots;
mod socket;
mod stored;
mod trimmed;
mod upstream;
