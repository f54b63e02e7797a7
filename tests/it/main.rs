//! Tests the server from outside: replays upstream's recorded answers, and injects all kinds of faults into the real binary.
#![expect(non_snake_case, reason = "tests are named subject__condition__result")]

mod chat_completions;
mod command;
mod crash;
mod faults;
mod golden;
mod limits;
mod malformed;
mod mcp;
mod mcp_server;
mod model_server;
mod outage;
mod python;
mod responses;
mod runs;
mod schema;
mod sessions;
mod shutdown;
mod spans;
mod store;
mod streams;
mod terminal;
mod users;
mod wire;
