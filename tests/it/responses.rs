//! The Responses API: what its streams look like, and that whatever an agent does, they are well-formed.

mod agents;
mod app;
mod bad;
mod conversations;
mod random;
mod requests;
mod snapshots;
mod stored;
