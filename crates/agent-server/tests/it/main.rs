//! Tests the server as a library: its routes, and users' additions. Sockets are used only where a server is served.
#![expect(non_snake_case, reason = "tests are named subject__condition__result")]

mod app;
mod deletion;
mod guard;
mod hooks;
mod host;
mod memory;
mod own_routes;
mod principal;
mod protocols;
mod routes;
