//! LangGraph's development server. The production server needs a license.

use serde_json::json;

use super::contender::{Contender, Cut, Launch, Packages, Run, get, post_json};

#[derive(Debug)]
struct LangGraph {
    /// Streams are kept for readers that return, and runs outlive their connections.
    is_resumable: bool,
}

pub(crate) fn all() -> Vec<Box<dyn Contender>> {
    vec![Box::new(LangGraph { is_resumable: false }), Box::new(LangGraph { is_resumable: true })]
}

impl Contender for LangGraph {
    fn name(&self) -> String {
        format!("LangGraph dev 0.16.7{}", if self.is_resumable { ", resumable" } else { "" })
    }

    fn packages(&self) -> Option<Packages> {
        Some(Packages::Python("langgraph"))
    }

    fn command(&self, launch: &Launch<'_>) -> Vec<String> {
        let (program, port, config) =
            (launch.venv("langgraph"), launch.port.to_string(), launch.file("langgraph.json"));
        // One job at a time is the default of some versions, which would measure the queue.
        let options = ["--no-browser", "--no-reload", "--allow-blocking", "--n-jobs-per-worker", "1000"];
        let mut command = vec![program, "dev".to_owned()];
        command.extend(options.map(str::to_owned));
        command.extend(
            ["--server-log-level", "warning", "--host", "127.0.0.1", "--port", &port].map(str::to_owned),
        );
        command.extend(["--config".to_owned(), config]);
        command
    }

    fn ready_path(&self) -> &'static str {
        "/ok"
    }

    fn request(&self, run: &Run<'_>) -> Vec<u8> {
        let mut body = json!({
            "assistant_id": "words", "input": {"text": run.text()}, "stream_mode": ["custom"],
            "if_not_exists": "create", "multitask_strategy": "enqueue",
        });
        if self.is_resumable {
            body["stream_resumable"] = json!(true);
            body["on_disconnect"] = json!("continue");
        }
        post_json(&format!("/threads/{}/runs/stream", run.session), &body)
    }

    fn word_marker(&self) -> &'static str {
        "event: custom"
    }

    fn resume(&self, cut: &Cut) -> Option<Vec<u8>> {
        let (run, last) = (cut.first("\"run_id\":")?, cut.last("\nid: ")?);
        let path = format!("/threads/{}/runs/{run}/stream?stream_mode=custom", cut.session);
        self.is_resumable.then(|| get(&path, &format!("last-event-id: {last}\r\n")))
    }

    fn status(&self, cut: &Cut) -> Option<Vec<u8>> {
        Some(get(&format!("/threads/{}/runs/{}", cut.session, cut.first("\"run_id\":")?), ""))
    }

    fn history(&self, cut: &Cut) -> Option<Vec<u8>> {
        Some(get(&format!("/threads/{}/state", cut.session), ""))
    }
}
