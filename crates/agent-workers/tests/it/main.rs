//! Workers that keep the protocol, workers that do not, and workers in trouble.
#![expect(non_snake_case, reason = "tests are named subject__condition__result")]

mod conformance;
mod faults;
mod http;
mod load;
mod output;
mod protocol;
mod supervision;
mod support;
