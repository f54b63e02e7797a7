//! OpenAI's own clients, a framework that uses them, and programs that check the specifications, against the real binary;
//! and what the Python package for agents is made of.
#![expect(non_snake_case, reason = "tests are named subject__condition__result")]

mod agents;
mod chat_completions;
mod codex;
mod environment;
mod frameworks;
mod guides;
mod mcp;
mod mcp_agents;
mod mcp_server;
mod openapi;
mod package;
mod projects;
mod responses;
mod scripted;
