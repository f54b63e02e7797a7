//! The state of a user's runs in the store when all have ended.

use agent_tests::history::{Event, Said, StoredRun};
use agent_tests::{pause, within};
use serde_json::Value;

use super::reader::Reader;
use super::wire::{get, json_of};

impl Reader {
    /// Waits until all runs of a user have ended, and adds their state in the store to the history.
    pub(super) async fn read_final_state(&mut self, user: &str, sessions: &[String]) {
        self.until_all_have_ended(user).await;
        let mut runs = self.listed(user).await;
        // The newest came first.
        runs.reverse();
        for run in runs {
            let log = self.whole(&run).await;
            let pages = self.paged(&run).await;
            let info = json_of(&self.ask(&get(&format!("/runs/{run}"), ""), &[200]).await.body);
            let text = |name: &str| info[name].as_str().unwrap_or_default().to_owned();
            let (user, session, status) = (text("user_id"), text("session_id"), text("status"));
            let count = info["events"].as_u64().unwrap_or_default();
            self.history.kept.push(StoredRun { run, user, session, status, count, log, pages });
        }
        for session in sessions {
            let path = format!("/sessions/{session}/messages?user_id={user}&limit=1000");
            let answer = self.ask(&get(&path, ""), &[200, 404]).await;
            let page = json_of(&answer.body);
            let messages = page["data"].as_array().map(Vec::as_slice).unwrap_or_default();
            let users = messages.iter().filter(|message| message["role"] == "user");
            let tags = users.map(tag_of).collect();
            self.history.said.push(Said { user: user.to_owned(), session: session.clone(), tags });
        }
    }

    /// Waits until no run of a user is queued or in progress. Until then, input that was handed to a run is listed too, and
    /// is gone once the run has taken it.
    async fn until_all_have_ended(&mut self, user: &str) {
        within("all runs to end", async {
            for status in ["queued", "in_progress"] {
                let path = format!("/runs?user_id={user}&status={status}&limit=1");
                while json_of(&self.ask(&get(&path, ""), &[200]).await.body)["data"]
                    != Value::Array(Vec::new())
                {
                    pause().await;
                }
            }
        })
        .await;
    }

    async fn listed(&mut self, user: &str) -> Vec<String> {
        let (mut runs, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/runs?user_id={user}&limit=3{after}");
            let page = json_of(&self.ask(&get(&path, ""), &[200]).await.body);
            let data = page["data"].as_array().expect("runs");
            runs.extend(data.iter().filter_map(|run| Some(run["id"].as_str()?.to_owned())));
            let Some(next) = page["next"].as_str() else { return runs };
            after = format!("&after={next}");
        }
    }

    async fn paged(&mut self, run: &str) -> Vec<Value> {
        let (mut events, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/runs/{run}/events?limit=7{after}");
            let answer = self.ask(&get(&path, "accept: application/json\r\n"), &[200]).await;
            let page = json_of(&answer.body);
            events.extend(page["data"].as_array().expect("events").iter().cloned());
            let Some(next) = page["next"].as_str() else { return events };
            after = format!("&after={next}");
        }
    }

    /// Reads all kept logs once more, as any client may.
    pub(super) async fn read_again(&mut self) {
        let runs: Vec<String> = self.history.kept.iter().map(|kept| kept.run.clone()).collect();
        for run in runs {
            let events: Vec<Event> = self.whole(&run).await;
            let from = agent_tests::history::Place::Beginning;
            self.history.readings.push(agent_tests::history::Reading { run, from, events });
        }
    }
}

fn tag_of(message: &Value) -> String {
    let text = message["content"][0]["text"].as_str().unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
