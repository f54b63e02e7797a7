//! The run that a client requests, and how the client gets it despite all faults.

use std::io;

use agent_tests::history::{EventId, History, Place, Policy, Reply, Submission};
use agent_tests::{Connection, pause};
use serde_json::{Value, json};

use super::reader::{Cuts, Reader};
use super::wire::{Events, id_text, json_of, post};

/// A run that a client requests.
#[derive(Clone, Debug)]
pub(super) struct Workload {
    pub(super) user: String,
    pub(super) session: String,
    pub(super) policy: Policy,
    pub(super) tag: String,
    /// The user's text after the tag.
    pub(super) text: String,
    /// With a key, the request is repeated if its answer is lost, and sometimes without a reason.
    pub(super) key: Option<String>,
    pub(super) in_background: bool,
    pub(super) cuts: Cuts,
    /// Whether the run is cancelled in the middle.
    pub(super) is_canceled: bool,
}

/// An answer, or the beginning of a stream.
enum Outcome {
    Stream(String, Events),
    Run(String),
    Refused(String),
}

/// The result of a request.
enum Sent {
    Lost,
    Refused,
    /// This run, the id of the last event that was read, and whether it is the end.
    Started(String, Option<(EventId, bool)>),
}

impl Workload {
    fn path(&self) -> &'static str {
        if self.in_background { "/runs" } else { "/process" }
    }

    fn body(&self, text: &str) -> Value {
        let policy = match self.policy {
            Policy::Enqueue => "enqueue",
            Policy::Reject => "reject",
            Policy::Interrupt => "interrupt",
            Policy::Steer => "steer",
        };
        json!({
            "input": [{ "role": "user", "content": [{ "type": "text", "text": format!("{} {text}", self.tag) }] }],
            "user_id": self.user,
            "session_id": self.session,
            "session_policy": policy,
        })
    }

    fn asked(&self, body: &Value, reply: Reply, answered: u64) -> Submission {
        Submission {
            user: self.user.clone(),
            session: self.session.clone(),
            policy: self.policy,
            key: self.key.clone(),
            body: format!("{} {body}", self.path()),
            tag: self.tag.clone(),
            reply,
            answered,
        }
    }

    fn start(&self) -> Place {
        if self.policy == Policy::Steer { Place::Anywhere } else { Place::Beginning }
    }
}

impl Reader {
    /// Executes all steps of a client for a run, and returns its observations.
    pub(super) async fn execute(mut self, workload: Workload) -> History {
        if let Some((run, mut last)) = self.started(&workload).await {
            if let (Some(_), Some((id, false)), 0) = (&workload.key, last, self.rng.below(2)) {
                last = self.repeated(&workload, id).await.or(last);
            }
            if workload.is_canceled {
                self.cancel(&run).await;
            }
            if last.is_none_or(|(_, is_end)| !is_end) {
                self.follow(&run, last.map(|(id, _)| id), workload.cuts).await;
            }
            if workload.key.is_some() {
                // Whether either happened is not known yet.
                self.send(&workload, &workload.body(&workload.text), None).await;
                self.send(&workload, &workload.body("another text"), None).await;
            }
            self.ask_status(&run).await;
        }
        self.history
    }

    /// Asks a run to stop, until that is acknowledged.
    pub(super) async fn cancel(&mut self, run: &str) {
        let answer = self.ask(&post(&format!("/runs/{run}/cancel"), "", ""), &[200]).await;
        // If the run ends at this moment, its end may already be settled.
        if json_of(&answer.body)["cancel_requested"] == true {
            self.history.canceled.push(run.to_owned());
        }
    }

    /// Sends the request until there is an answer, if it may be repeated; returns the run and what was read of it.
    pub(super) async fn started(&mut self, workload: &Workload) -> Option<(String, Option<(EventId, bool)>)> {
        let body = workload.body(&workload.text);
        loop {
            match self.send(workload, &body, None).await {
                Sent::Started(run, last) => return Some((run, last)),
                Sent::Refused => return None,
                Sent::Lost if workload.key.is_none() => return None,
                Sent::Lost => pause().await,
            }
        }
    }

    /// Resumes reading after an event with the same request.
    async fn repeated(&mut self, workload: &Workload, last: EventId) -> Option<(EventId, bool)> {
        if workload.in_background {
            return None;
        }
        match self.send(workload, &workload.body(&workload.text), Some(last)).await {
            Sent::Started(_, last) => last,
            Sent::Lost | Sent::Refused => None,
        }
    }

    /// Sends a request once, and reads its stream if it has one.
    async fn send(&mut self, workload: &Workload, body: &Value, last: Option<EventId>) -> Sent {
        let key = workload.key.as_ref().map(|key| format!("idempotency-key: {key}\r\n")).unwrap_or_default();
        let position = last.map(|id| format!("last-event-id: {}\r\n", id_text(id))).unwrap_or_default();
        let request = post(workload.path(), &(key + &position), &body.to_string());
        let mut server = self.server().await;
        let given = match server.connect().await {
            Ok(mut connection) => {
                connection.send(&request).await;
                server.while_up(answered(connection)).await
            }
            Err(error) => Err(error),
        };
        let answered = self.world.clock.now();
        let reply = match &given {
            Ok(Outcome::Stream(run, _) | Outcome::Run(run)) => Reply::Accepted(run.clone()),
            Ok(Outcome::Refused(code)) => Reply::Refused(code.clone()),
            Err(_) => Reply::Lost,
        };
        self.history.asked.push(workload.asked(body, reply, answered));
        match given {
            Err(_) => Sent::Lost,
            Ok(Outcome::Refused(_)) => Sent::Refused,
            Ok(Outcome::Run(run)) => {
                self.note_owner(server.index);
                Sent::Started(run, None)
            }
            Ok(Outcome::Stream(run, events)) => {
                self.note_owner(server.index);
                let from = last.map_or(workload.start(), Place::After);
                let mut cuts = workload.cuts;
                let read = self.read(&run, from, events, &mut server, &mut cuts).await;
                Sent::Started(run, read)
            }
        }
    }

    fn note_owner(&self, server: usize) {
        self.progress.owner.send_if_modified(|owner| owner.replace(server).is_none());
    }
}

async fn answered(mut connection: Connection) -> io::Result<Outcome> {
    let head = connection.try_head().await?;
    let run = || head.header("x-run-id").expect("the run's id").to_owned();
    match head.status {
        200 => Ok(Outcome::Stream(run(), Events::new(connection))),
        202 => Ok(Outcome::Run(run())),
        503 => Err(io::ErrorKind::NotConnected.into()),
        409 | 422 | 429 => {
            let body = json_of(&connection.body(&head).await?);
            Ok(Outcome::Refused(body["error"]["code"].as_str().unwrap_or_default().to_owned()))
        }
        status => panic!("{status}: {head:?}"),
    }
}
