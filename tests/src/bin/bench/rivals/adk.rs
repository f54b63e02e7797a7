//! Google's Agent Development Kit, with the server of its command line.

use serde_json::json;

use super::contender::{Contender, Cut, Launch, Packages, Run, get, post_json};

#[derive(Debug)]
struct Adk {
    is_durable: bool,
}

pub(crate) fn all() -> Vec<Box<dyn Contender>> {
    vec![Box::new(Adk { is_durable: false }), Box::new(Adk { is_durable: true })]
}

impl Contender for Adk {
    fn name(&self) -> String {
        format!("ADK 2.13.0, {}", if self.is_durable { "sqlite" } else { "memory" })
    }

    fn packages(&self) -> Option<Packages> {
        Some(Packages::Python("adk"))
    }

    fn command(&self, launch: &Launch<'_>) -> Vec<String> {
        let sessions = if self.is_durable {
            format!("sqlite:///{}", launch.data("adk.db"))
        } else {
            "memory://".to_owned()
        };
        let (program, port, agents) = (launch.venv("adk"), launch.port.to_string(), launch.file(""));
        let options =
            ["--auto_create_session", "--log_level", "warning", "--artifact_service_uri", "memory://"];
        let mut command = vec![program, "api_server".to_owned()];
        command.extend(["--host", "127.0.0.1", "--port", &port].map(str::to_owned));
        command.extend(options.map(str::to_owned));
        command.extend(["--session_service_uri".to_owned(), sessions, agents]);
        command
    }

    fn ready_path(&self) -> &'static str {
        "/list-apps"
    }

    fn request(&self, run: &Run<'_>) -> Vec<u8> {
        let message = json!({"role": "user", "parts": [{"text": run.text()}]});
        let body = json!({
            "app_name": "speaker", "user_id": "u", "session_id": run.session, "new_message": message, "streaming": true,
        });
        post_json("/run_sse", &body)
    }

    fn word_marker(&self) -> &'static str {
        "\"partial\":true"
    }

    fn resume(&self, _: &Cut) -> Option<Vec<u8>> {
        None
    }

    fn status(&self, _: &Cut) -> Option<Vec<u8>> {
        None
    }

    fn history(&self, cut: &Cut) -> Option<Vec<u8>> {
        Some(get(&format!("/apps/speaker/users/u/sessions/{}", cut.session), ""))
    }
}
