//! The examples in Python and TypeScript, with types generated from the exported schemas, against the real server.

mod everything;
mod program;
mod replay;
mod served;
mod tampered;
