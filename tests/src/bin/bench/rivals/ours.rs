//! Our own server, with an agent that yields after every word, as one that waits for its model does.

use serde_json::json;

use super::contender::{Contender, Cut, Launch, Packages, Run, get, post_json};
use crate::store::Store;

#[derive(Debug)]
struct Ours(Store);

pub(crate) fn all() -> Vec<Box<dyn Contender>> {
    vec![Box::new(Ours(Store::Memory)), Box::new(Ours(Store::Sqlite))]
}

impl Contender for Ours {
    fn name(&self) -> String {
        format!("agent-server, {}", self.0.name())
    }

    fn packages(&self) -> Option<Packages> {
        None
    }

    fn command(&self, launch: &Launch<'_>) -> Vec<String> {
        let config = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/yielding.toml");
        let program = launch.binary.display().to_string();
        let port = launch.port.to_string();
        let mut command = [&program, "--port", &port, "--log-level", "warn", "--config", config]
            .map(str::to_owned)
            .to_vec();
        if self.0 == Store::Memory {
            command.push("--ephemeral".to_owned());
        } else {
            command.extend(["--data-dir".to_owned(), launch.data("data")]);
        }
        command
    }

    fn ready_path(&self) -> &'static str {
        "/health"
    }

    fn request(&self, run: &Run<'_>) -> Vec<u8> {
        let input = json!([{"role": "user", "content": [{"type": "text", "text": run.words}]}]);
        let mut body = json!({"session_id": run.session, "user_id": "u", "input": input});
        if run.delay_ms > 0 {
            body["delay_ms"] = json!(run.delay_ms);
        }
        post_json("/process", &body)
    }

    fn word_marker(&self) -> &'static str {
        "\"delta\":true"
    }

    fn resume(&self, cut: &Cut) -> Option<Vec<u8>> {
        let (run, last) = (cut.first("x-run-id: ")?, cut.last("\nid: ")?);
        Some(get(&format!("/runs/{run}/events"), &format!("last-event-id: {last}\r\n")))
    }

    fn status(&self, cut: &Cut) -> Option<Vec<u8>> {
        Some(get(&format!("/runs/{}", cut.first("x-run-id: ")?), ""))
    }

    fn history(&self, cut: &Cut) -> Option<Vec<u8>> {
        Some(get(&format!("/sessions/{}/messages?user_id=u", cut.session), ""))
    }
}
