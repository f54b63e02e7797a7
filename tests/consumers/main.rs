//! The examples in Python and TypeScript, with types generated from the exported schemas, against the real server.
#![expect(non_snake_case, reason = "tests are named subject__condition__result")]

mod everything;
mod program;
mod replay;
mod served;
mod tampered;
