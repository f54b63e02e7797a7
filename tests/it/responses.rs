//! The Responses API: what its streams look like, and that whatever an agent does, they are well-formed.

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
