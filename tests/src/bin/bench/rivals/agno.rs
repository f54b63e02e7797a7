//! Agno's AgentOS.

use super::contender::{Contender, Cut, Launch, Packages, Run, get, post_form};

#[derive(Debug)]
struct Agno {
    store: &'static str,
    /// Runs that are independent of their connections; only their streams can be resumed.
    is_background: bool,
}

pub(crate) fn all() -> Vec<Box<dyn Contender>> {
    vec![
        Box::new(Agno { store: "memory", is_background: false }),
        Box::new(Agno { store: "sqlite", is_background: false }),
        Box::new(Agno { store: "sqlite", is_background: true }),
    ]
}

impl Contender for Agno {
    fn name(&self) -> String {
        format!("Agno 3.1.10, {}{}", self.store, if self.is_background { ", background" } else { "" })
    }

    fn packages(&self) -> Option<Packages> {
        Some(Packages::Python("agno"))
    }

    fn command(&self, launch: &Launch<'_>) -> Vec<String> {
        let (python, script) = (launch.venv("python"), launch.file("server.py"));
        vec![python, script, launch.port.to_string(), self.store.to_owned(), launch.data("agno.db")]
    }

    fn ready_path(&self) -> &'static str {
        "/health"
    }

    fn request(&self, run: &Run<'_>) -> Vec<u8> {
        let text = run.text();
        let mut fields = vec![
            ("message", text.as_str()),
            ("stream", "true"),
            ("session_id", run.session),
            ("user_id", "u"),
        ];
        if self.is_background {
            fields.push(("background", "true"));
        }
        post_form("/agents/words/runs", &fields)
    }

    fn word_marker(&self) -> &'static str {
        "event: RunContent\n"
    }

    fn resume(&self, cut: &Cut) -> Option<Vec<u8>> {
        let (run, last) = (cut.first("\"run_id\":")?, cut.last("\"event_index\":")?);
        let fields = [("session_id", cut.session.as_str()), ("user_id", "u"), ("last_event_index", last)];
        self.is_background.then(|| post_form(&format!("/agents/words/runs/{run}/resume"), &fields))
    }

    fn status(&self, cut: &Cut) -> Option<Vec<u8>> {
        let run = cut.first("\"run_id\":")?;
        Some(get(&format!("/agents/words/runs/{run}?session_id={}&user_id=u", cut.session), ""))
    }

    fn history(&self, cut: &Cut) -> Option<Vec<u8>> {
        Some(get(&format!("/sessions/{}/runs?type=agent&user_id=u", cut.session), ""))
    }
}
