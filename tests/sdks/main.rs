//! OpenAI's own clients, and a framework over them, against the real binary.

mod chat_completions;
mod environment;
mod responses;
mod scripted;
