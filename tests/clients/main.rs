//! The client libraries that people have, against the server: the real binary with `demo`, and an agent that does as it is told.

mod openai;
mod scripted;
mod tools;
