//! The server from outside: the peer's recorded answers replayed, and faults of every sort on the real binary.

mod chat_completions;
mod command;
mod crash;
mod faults;
mod golden;
mod limits;
mod malformed;
mod outage;
mod responses;
mod runs;
mod schema;
mod sessions;
mod shutdown;
mod spans;
mod streams;
mod terminal;
mod wire;
