//! The server as a library: its routes, and what users add to them. No sockets but where a server is served.

mod app;
mod hooks;
mod own_routes;
mod protocols;
mod routes;
