//! Tests of the protocols through the public interface of the server.
#![expect(non_snake_case, reason = "tests are named subject__condition__result")]

mod failures;
mod openapi;
mod principal;
mod runs;
