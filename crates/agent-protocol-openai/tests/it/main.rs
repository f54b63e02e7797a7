//! Tests of the protocols through the public interface of the server.

mod openapi;
mod principal;
