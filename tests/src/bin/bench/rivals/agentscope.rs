//! agentscope-runtime, whose protocol ours is too.

use serde_json::json;

use super::contender::{Contender, Cut, Launch, Packages, Run, post_json};

#[derive(Debug)]
struct AgentScope {
    version: &'static str,
    folder: &'static str,
}

pub(crate) fn all() -> Vec<Box<dyn Contender>> {
    vec![
        Box::new(AgentScope { version: "1.0.2", folder: "agentscope-1.0" }),
        Box::new(AgentScope { version: "1.1.6.post2", folder: "agentscope-1.1" }),
    ]
}

impl Contender for AgentScope {
    fn name(&self) -> String {
        format!("agentscope-runtime {}", self.version)
    }

    fn packages(&self) -> Option<Packages> {
        Some(Packages::Python(self.folder))
    }

    fn command(&self, launch: &Launch<'_>) -> Vec<String> {
        vec![launch.venv("python"), launch.file("server.py"), launch.port.to_string()]
    }

    fn ready_path(&self) -> &'static str {
        "/health"
    }

    fn request(&self, run: &Run<'_>) -> Vec<u8> {
        let content = json!([{"type": "text", "text": run.text()}]);
        let input = json!([{"role": "user", "type": "message", "content": content}]);
        post_json(
            "/process",
            &json!({"session_id": run.session, "user_id": "u", "input": input, "stream": true}),
        )
    }

    fn word_marker(&self) -> &'static str {
        "\"delta\":true"
    }

    fn resume(&self, _: &Cut) -> Option<Vec<u8>> {
        None
    }

    fn status(&self, _: &Cut) -> Option<Vec<u8>> {
        None
    }

    fn history(&self, _: &Cut) -> Option<Vec<u8>> {
        None
    }
}
