//! Durable steps of agents in Python: a process is killed at every point between and inside them.

use std::fs;

use agent_tests::client::post;
use agent_tests::{Server, pause, within};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{launch, request, script};

const AGENTS: &str = "durable.py";

/// A server whose data survives it, and the folder in which its agents note what they do.
struct World {
    data: TempDir,
    notes: TempDir,
    server: Server,
}

impl World {
    async fn start() -> Self {
        let folder = || tempfile::tempdir().expect("a folder");
        let (data, notes) = (folder(), folder());
        let server = start(&data).await;
        World { data, notes, server }
    }

    /// The run's response, if it is not finished by the same server, by the next one.
    async fn run(&mut self, agent: &str, kill: &str) -> Value {
        let mut body = request(agent, &format!("{}\n{kill}", self.notes.path().display()));
        (body["background"], body["user_id"]) = (true.into(), "u".into());
        // The answer may not arrive, as the server may die first.
        let mut client = self.server.connect().await;
        client.send(&post(&body.to_string())).await;
        if kill.starts_with("server") {
            self.server.exit().await;
            self.server = start(&self.data).await;
        }
        let id = self.only_run().await;
        let events =
            self.server.connect().await.call("GET", &format!("/runs/{id}/events"), None).await.events();
        events.last().expect("an end").clone()
    }

    /// The id of the only run, once it is there.
    async fn only_run(&self) -> String {
        within("the run", async {
            loop {
                let page = self.server.connect().await.get("/runs?user_id=u").await.json();
                if let Some(id) = page["data"][0]["id"].as_str() {
                    return id.to_owned();
                }
                pause().await;
            }
        })
        .await
    }

    fn effects(&self) -> Vec<String> {
        let effects = fs::read_to_string(self.notes.path().join("effects")).unwrap_or_default();
        effects.lines().map(str::to_owned).collect()
    }
}

async fn start(data: &TempDir) -> Server {
    let script = script(AGENTS);
    launch(script.to_str().expect("UTF-8")).data_dir(data.path()).start().await
}

const SAID: &str = "result of pure, result of idempotent, result of once";

/// Kills a process at a point of a run: each step has one before it, and one before and after its effect; another is
/// before the answer and one inside it.
async fn kill_at(agent: &str, victim: &str, point: usize) {
    let what = format!("{agent}, {victim} {point}");
    let mut world = World::start().await;
    let response = world.run(agent, &format!("{victim} {point}")).await;
    let effects = world.effects();
    if point == 7 || point == 8 {
        assert_eq!(response["status"], "incomplete", "{what}: {response}");
        assert!(
            response["error"]["message"].as_str().is_some_and(|text| text.contains("'once'")),
            "{what}: {response}"
        );
        assert_eq!(
            effects.iter().filter(|effect| *effect == "once").count(),
            point - 7,
            "{what}: {effects:?}"
        );
        return;
    }
    assert_eq!(response["status"], "completed", "{what}: {response}");
    let last = response["output"].as_array().and_then(|output| output.last()).expect("a message");
    assert_eq!(last["content"][0]["text"], SAID, "{what}");
    let twice = match point {
        2 => Some("pure"),
        5 => Some("idempotent"),
        _ => None,
    };
    for step in ["pure", "idempotent", "once"] {
        let count = effects.iter().filter(|effect| *effect == step).count();
        assert_eq!(count, if twice == Some(step) { 2 } else { 1 }, "{what}: {effects:?}");
    }
}

#[tokio::test]
async fn worker__killed_at_any_point__no_finished_step_is_repeated() {
    for points in [0..4, 4..8, 8..11] {
        join_all(points.map(|point| kill_at("steps", "worker", point))).await;
    }
    join_all([0, 5, 10].map(|point| kill_at("continues", "worker", point))).await;
}

#[tokio::test]
async fn server__killed_at_any_point__no_finished_step_is_repeated() {
    for points in [0..4, 4..8, 8..11] {
        join_all(points.map(|point| kill_at("steps", "server", point))).await;
    }
    join_all([3, 8, 10].map(|point| kill_at("continues", "server", point))).await;
}

#[tokio::test]
async fn step__cut_off__can_be_handled() {
    let mut world = World::start().await;
    let response = world.run("checks", "worker 0").await;
    assert_eq!(response["status"], "completed", "{response}");
    let text = response["output"][0]["content"][0]["text"].as_str().expect("a text");
    assert_eq!(text, "attempt 2: the step 'once' was cut off, and it may only be taken once");
}

#[tokio::test]
async fn questions__over_every_protocol__are_answered_by_the_next_request() {
    let server = launch(script(AGENTS).to_str().expect("UTF-8")).start().await;
    // The native protocol, with an approval response.
    let ask = async |input: Value| {
        let body = json!({ "model": "mailer", "input": [input], "session_id": "s", "stream": false });
        server.connect().await.call("POST", "/process", Some(&body)).await.json()
    };
    let says = |text: &str| json!({ "role": "user", "content": [{ "type": "text", "text": text }] });
    assert_eq!(ask(says("Write")).await["output"][0]["content"][0]["text"], "To whom?");
    let asked = ask(says("Bob")).await;
    assert_eq!(asked["status"], "completed");
    assert_eq!(asked["output"][0]["content"][0]["text"], "Send 'Dear Ann' to Bob?");
    let approval = &asked["output"][1];
    assert_eq!(approval["type"], "mcp_approval_request", "{asked}");
    let data = json!({ "approval_request_id": approval["content"][0]["data"]["id"], "approve": true });
    let answer = json!({ "type": "mcp_approval_response", "role": "user", "content": [{ "type": "data", "data": data }] });
    let sent = ask(answer.clone()).await;
    assert_eq!(sent["output"][0]["content"][0]["text"], "sent to Bob, draft 7", "{sent}");
    assert_eq!(ask(answer).await["error"]["code"], "QUESTION_CLOSED", "an answer counts once");

    // Responses, which continue each other.
    let respond = async |input: Value, previous: &Value| {
        let body = json!({ "model": "mailer", "input": input, "previous_response_id": previous });
        server.connect().await.call("POST", "/v1/responses", Some(&body)).await.json()
    };
    let first = respond("Write".into(), &Value::Null).await;
    let second = respond("Ann".into(), &first["id"]).await;
    let request = &second["output"][1];
    assert_eq!(
        (&request["type"], &request["name"]),
        (&json!("mcp_approval_request"), &json!("send")),
        "{second}"
    );
    let denied =
        json!([{ "type": "mcp_approval_response", "approval_request_id": request["id"], "approve": false }]);
    let third = respond(denied, &second["id"]).await;
    assert_eq!(third["output"][0]["content"][0]["text"], "Not sent.", "{third}");

    // Chat Completions: the client sends the conversation, in which questions and answers are text.
    let mut messages = vec![json!({ "role": "user", "content": "Write" })];
    for (answer, expected) in
        [("Bob", "To whom?"), ("yes", "Send 'Dear Ann' to Bob?"), ("", "sent to Bob, draft 7")]
    {
        let body = json!({ "model": "mailer", "messages": messages });
        let completion =
            server.connect().await.call("POST", "/v1/chat/completions", Some(&body)).await.json();
        let message = completion["choices"][0]["message"].clone();
        assert_eq!(message["content"], expected, "{completion}");
        messages.extend([message, json!({ "role": "user", "content": answer })]);
    }
}
