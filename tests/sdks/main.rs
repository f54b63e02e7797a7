//! OpenAI's own clients, a framework over them, and programs that know the specifications, against the real binary.

mod chat_completions;
mod environment;
mod openapi;
mod responses;
mod scripted;
