//! The run for a request in OpenAI's protocols, and what its client sees of the run's end.

use std::sync::Arc;

use agent_protocol_openai::OpenAi;
use agent_runner::agents::Echo;
use agent_runner::{RunHandle, Services, agent_fn};
use agent_schemas::{AgentRequest, RunId};
use agent_server::{AgentApp, AgentAppBuilder};
use agent_services::StoreContext;
use agent_services::limits::StoreLimits;
use agent_services::run::InMemoryRunStore;
use agent_services::session::InMemorySessionStore;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

struct Answer {
    status: StatusCode,
    run: Option<RunId>,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
}

fn app() -> AgentAppBuilder {
    AgentApp::builder("test").protocol(OpenAi)
}

async fn post(router: &Router, path: &str, body: &Value) -> Answer {
    let request = Request::post(path).header("host", "localhost").header("content-type", "application/json");
    let request = request.body(Body::from(body.to_string())).expect("a request");
    let response = router.clone().oneshot(request).await.expect("routers answer");
    let run = response.headers().get("x-run-id").map(|id| RunId::new(id.to_str().expect("text")));
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("the body ends well");
    Answer { status, run, body: String::from_utf8(body.to_vec()).expect("bodies are text") }
}

fn with(mut body: Value, more: &Value) -> Value {
    let members = body.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    body
}

fn chat(more: &Value) -> Value {
    with(json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] }), more)
}

fn responses(more: &Value) -> Value {
    with(json!({ "model": "m", "input": "hi" }), more)
}

/// Members that happen to have the names of ours have no effect on ours: they neither replace them nor make the request
/// unreadable.
#[tokio::test]
async fn foreign_members__named_as_ours__have_a_place_of_their_own() {
    let services = Services::in_memory();
    let app = app().agent("echo", Echo::default()).services(services.clone());
    let router = app.build().expect("built").router();
    let names = [
        "id",
        "input",
        "user_id",
        "session_id",
        "top_p",
        "temperature",
        "frequency_penalty",
        "max_tokens",
        "stop",
        "n",
        "seed",
        "tools",
        "foreign",
        "extra",
        "background",
        "stream",
        "object",
        "delay_ms",
    ];
    let mut message = json!([{ "role": "user", "content": [{ "type": "text", "text": "replaced" }] }]);
    message[0]["id"] = "msg_1".into();
    let values = [json!(0), json!(1.5), json!(true), json!([]), json!({}), json!("x"), message];
    let mut started = 0;
    for (name, value) in names.iter().flat_map(|name| values.iter().map(move |value| (*name, value))) {
        let more = json!({ name: value });
        let mut requests = vec![("/v1/chat/completions", chat(&more))];
        if name != "input" {
            requests.push(("/v1/responses", responses(&more)));
        }
        for (path, body) in requests {
            let answer = post(&router, path, &body).await;
            let case = format!("{path} {more}");
            let Some(run) = answer.run else {
                assert!(answer.status.is_client_error(), "{case}: {}", answer.status);
                continue;
            };
            started += 1;
            let record = services.runs.get(&run).await.expect("readable").expect("kept");
            let stored = serde_json::to_string(&*record.request).expect("JSON");
            let read: AgentRequest = serde_json::from_str(&stored).expect("what is stored can be read");
            assert_eq!(read, *record.request, "{case}");
            assert_eq!(read.last_user_text(), "hi", "{case}");
            assert!(read.extra.is_empty(), "{case}");
        }
    }
    assert!(started > 100, "only {started} were runs");
}

#[tokio::test]
async fn foreign_members__unknown_to_openai__reach_the_agent() {
    let agent = agent_fn(|run: RunHandle| async move {
        for name in ["mine", "reasoning_effort"] {
            let member = run.request().extra_member(name);
            run.say(&member.map_or_else(|| "none".to_owned(), ToString::to_string));
        }
        Ok(())
    });
    let router = app().agent("agent", agent).build().expect("built").router();
    let more = json!({ "mine": { "deep": [1] }, "reasoning_effort": "low" });
    let answer = post(&router, "/v1/chat/completions", &chat(&more)).await.json();
    assert_eq!(answer["choices"][0]["message"]["content"], "{\"deep\":[1]}\n\n\"low\"");
    let more = json!({ "mine": { "deep": [1] }, "reasoning": { "effort": "low" } });
    let answer = post(&router, "/v1/responses", &responses(&more)).await.json();
    let texts = [0, 1].map(|item| answer["output"][item]["content"][0]["text"].clone());
    assert_eq!(texts, [r#"{"deep":[1]}"#, r#""low""#]);
}

#[tokio::test]
async fn unexpected_failure__in_each_protocol__is_500_without_its_text() {
    let agent = agent_fn(|_: RunHandle| async { Err(std::io::Error::other("hunter2"))? });
    let router = app().agent("agent", agent).build().expect("built").router();
    let native = json!({ "stream": false, "input": [] });
    for (path, body, status) in [
        ("/process", native, 500),
        ("/v1/chat/completions", chat(&json!({})), 500),
        ("/v1/chat/completions", chat(&json!({ "stream": true })), 200),
        ("/v1/responses", responses(&json!({})), 500),
        ("/v1/responses", responses(&json!({ "stream": true })), 200),
    ] {
        let answer = post(&router, path, &body).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.body);
        let run = answer.run.expect("a run");
        assert!(answer.body.contains(run.as_str()), "{path}: {}", answer.body);
        assert!(!answer.body.contains("hunter2"), "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn model__unknown_name_among_several_agents__is_404_in_openais_shape() {
    let app = app().agent("a", Echo::default()).agent("b", Echo::default());
    let router = app.build().expect("built").router();
    for (path, body) in [("/v1/chat/completions", chat(&json!({}))), ("/v1/responses", responses(&json!({})))]
    {
        let answer = post(&router, path, &body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        let error = answer.json()["error"].clone();
        assert_eq!(
            (error["code"].as_str(), error["param"].as_str()),
            (Some("model_not_found"), Some("model"))
        );
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains("'m'") && message.contains("a, b"), "{message}");
        let known = post(&router, path, &with(body, &json!({ "model": "b" }))).await;
        assert_eq!(known.status, StatusCode::OK, "{}", known.body);
    }
}

#[tokio::test]
async fn final_answer__session_refuses_the_turn__has_the_warning() {
    let mut services = Services::in_memory();
    let mut limits = StoreLimits::default();
    limits.item_bytes = 1000;
    let sessions = Arc::new(InMemorySessionStore::new(StoreContext::default().with_limits(limits)));
    services.runs = Arc::new(InMemoryRunStore::default().with_sessions(Arc::clone(&sessions)));
    services.sessions = sessions;
    let app = app().agent("echo", Echo::default()).services(services);
    let router = app.build().expect("built").router();
    let long = "x".repeat(2000);
    let mut completion = chat(&json!({ "session_id": "s" }));
    completion["messages"][0]["content"] = long.as_str().into();
    let response = json!({ "input": long, "conversation": "c" });
    for (path, body) in [("/v1/chat/completions", completion), ("/v1/responses", response)] {
        let whole = post(&router, path, &body).await.json();
        assert_eq!(whole["warnings"][0]["code"], "HISTORY_NOT_STORED", "{path}");
        let stream = post(&router, path, &with(body, &json!({ "stream": true }))).await.body;
        assert_eq!(stream.matches("HISTORY_NOT_STORED").count(), 1, "{path}: {stream}");
    }
    let short = post(&router, "/v1/chat/completions", &chat(&json!({ "session_id": "s" }))).await.json();
    assert_eq!(short.get("warnings"), None);
}
