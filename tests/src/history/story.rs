//! Prints what happened in a session, to help find the cause.

use std::fmt::Write;

use super::{Event, History, StoredRun};

impl History {
    /// The requests and the logs of the sessions of these runs, one line each.
    pub fn story(&self, concerns: impl Fn(&str) -> bool) -> String {
        let mut story = String::new();
        let is_meant = |kept: &&StoredRun| concerns(&kept.run);
        let sessions: Vec<&str> =
            self.kept.iter().filter(is_meant).map(|kept| kept.session.as_str()).collect();
        for asked in self.asked.iter().filter(|asked| sessions.contains(&asked.session.as_str())) {
            let _ = writeln!(
                story,
                "{} {:?} {}: {:?} at {}",
                asked.tag, asked.policy, asked.body, asked.reply, asked.answered
            );
        }
        for kept in self.kept.iter().filter(|kept| sessions.contains(&kept.session.as_str())) {
            let _ = writeln!(story, "{} {} {}", kept.run, kept.session, kept.status);
            for event in &kept.log {
                let _ = writeln!(story, "    {}", line(event));
            }
        }
        for said in self.said.iter().filter(|said| sessions.contains(&said.session.as_str())) {
            let _ = writeln!(story, "{} remembers {:?}", said.session, said.tags);
        }
        story
    }
}

fn line(event: &Event) -> String {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let (id, json) = (event.id, &event.json);
    let said = text(&json["text"]) + &text(&json["content"][0]["text"]);
    let delta = if json["delta"] == true { " +" } else { "" };
    let (object, status, role) = (text(&json["object"]), text(&json["status"]), text(&json["role"]));
    format!("{}.{} {object} {status}{delta} {role} {said}", id.number, id.epoch)
}
