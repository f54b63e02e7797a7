//! Mastra, with its adapter for the HTTP server Hono.

use serde_json::json;

use super::contender::{Contender, Cut, Launch, Packages, Run, get, post_json};

#[derive(Debug)]
struct Mastra {
    store: &'static str,
    /// The agent runs inside a workflow, and its stream can be observed again.
    is_durable: bool,
}

pub(crate) fn all() -> Vec<Box<dyn Contender>> {
    vec![
        Box::new(Mastra { store: "memory", is_durable: false }),
        Box::new(Mastra { store: "libsql", is_durable: false }),
        Box::new(Mastra { store: "libsql", is_durable: true }),
    ]
}

impl Contender for Mastra {
    fn name(&self) -> String {
        format!("Mastra 1.71.0, {}{}", self.store, if self.is_durable { ", durable" } else { "" })
    }

    fn packages(&self) -> Option<Packages> {
        Some(Packages::JavaScript("mastra"))
    }

    fn command(&self, launch: &Launch<'_>) -> Vec<String> {
        let mode = if self.is_durable { "durable" } else { self.store }.to_owned();
        let (node, script) = (launch.file("node_modules/.bin/node"), launch.file("server.mjs"));
        vec![node, script, launch.port.to_string(), mode, launch.data("mastra.db")]
    }

    fn ready_path(&self) -> &'static str {
        "/api/agents"
    }

    fn request(&self, run: &Run<'_>) -> Vec<u8> {
        let body = json!({
            "messages": [{"role": "user", "content": run.text()}],
            "memory": {"thread": run.session, "resource": "u"},
        });
        post_json("/api/agents/words/stream", &body)
    }

    fn word_marker(&self) -> &'static str {
        "\"type\":\"text-delta\""
    }

    fn resume(&self, cut: &Cut) -> Option<Vec<u8>> {
        let body = json!({"runId": cut.first("\"runId\":")?, "offset": cut.events()});
        self.is_durable.then(|| post_json("/api/agents/words/observe", &body))
    }

    fn status(&self, _: &Cut) -> Option<Vec<u8>> {
        None
    }

    fn history(&self, cut: &Cut) -> Option<Vec<u8>> {
        let thread = &cut.session;
        Some(get(&format!("/api/memory/threads/{thread}/messages?agentId=words&resourceId=u"), ""))
    }
}
