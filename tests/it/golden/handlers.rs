//! The handlers of upstream's HTTP transcripts, as our agent and routes.

use agent_runner::{Agent, AgentError, MessageWriter, RunHandle};
use agent_schemas::{
    AgentRequest, Content, ContentBody, Error, Event, Json, JsonObject, Message, MessageType, Role, Status,
    object,
};
use async_trait::async_trait;
use axum::Router;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Json as JsonBody;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

/// The text of the input selects the behavior.
#[derive(Debug)]
pub(crate) struct Golden;

#[async_trait]
impl Agent for Golden {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        let text = run.request().last_user_text();
        match text.as_str() {
            "text" => write(run.message(), &["Hel", "lo, ", "wörld 你好"]),
            "q" => write(run.message(), &["Hel", "lo"]),
            "reasoning" => {
                write(run.reasoning(), &["think ", "hard"]);
                write(run.message(), &["Answer"]);
            }
            "refusal" => {
                let message = run.message();
                let mut refusal = message.refusal();
                ["I can", "not."].iter().for_each(|part| refusal.delta(part));
                refusal.complete();
                message.complete();
            }
            "plugin_call" => {
                run.tool_call("call_p", "search").complete(r#"{"q": "x"}"#);
                run.tool_output("call_p", "search", r#""res""#);
                write(run.message(), &["Done."]);
            }
            "function_call" => function_call(&run),
            "mcp_call" => mcp_call(&run),
            "image" => {
                let message = run.message();
                message.put(ContentBody::Image { image_url: Some("https://x/y.png".to_owned()) });
                message.put(ContentBody::Text { text: Some("pic".to_owned()) });
                message.complete();
            }
            "errormsg" => {
                let message = run.open(MessageType::Error, Role::Assistant);
                message.put_data(object! { "code" => "E1", "message" => "soft failure" });
                message.complete();
            }
            "usage" => usage(&run),
            "echo_request" => write(run.message(), &[&as_python(run.request())]),
            "empty" => {}
            "nonevent" => {
                return Err(Error::unknown("AttributeError", "'str' object has no attribute 'status'").into());
            }
            "raise" => return Err(Error::unknown("ValueError", "boom").into()),
            "raise_app" => {
                write(run.message(), &["partial"]);
                return Err(Error::ModelTimeout { model_name: "qwen".to_owned(), timeout: 30 }.into());
            }
            "partial_raise" => {
                let message = run.message();
                message.text().delta("par");
                return Err(Error::unknown("RuntimeError", "mid-stream").into());
            }
            other => write(run.message(), &[&format!("default:{other}")]),
        }
        Ok(())
    }
}

fn write(message: MessageWriter, parts: &[&str]) {
    let mut text = message.text();
    parts.iter().for_each(|part| text.delta(part));
    text.complete();
    message.complete();
}

/// The events of one message with one data content: its first state, deltas, and its last one.
fn data_message(
    run: &RunHandle,
    kind: MessageType,
    first: Option<JsonObject>,
    deltas: &[JsonObject],
    last: JsonObject,
) {
    let role = if kind.as_str().ends_with("_output") { Role::Tool } else { Role::Assistant };
    let id = format!("msg_{}", run.services().ids.uuid());
    let mut message = Message::new(id.clone(), kind);
    (message.role, message.status) = (Some(role), Status::InProgress);
    run.emit(message.clone());
    let content = |data: JsonObject, delta: bool, status: Status| {
        let mut content = Content::data(data);
        (content.index, content.msg_id) = (Some(0), Some(id.clone()));
        (content.delta, content.status) = (Some(delta), Some(status));
        Event::from(content)
    };
    first.into_iter().for_each(|data| run.emit(content(data, false, Status::InProgress)));
    deltas.iter().for_each(|data| run.emit(content(data.clone(), true, Status::InProgress)));
    run.emit(content(last.clone(), false, Status::Completed));
    (message.status, message.content) = (Status::Completed, Some(vec![Content::data(last)]));
    run.emit(message);
}

fn function_call(run: &RunHandle) {
    let call = |arguments: &str| {
        object! { "call_id" => "call_1", "name" => "get_weather", "arguments" => arguments }
    };
    let deltas = [call(r#"{"city": "Par"#), call(r#"is"}"#)];
    let whole = call(r#"{"city": "Paris"}"#);
    data_message(run, MessageType::FunctionCall, Some(call("")), &deltas, whole);
    let output = object! { "call_id" => "call_1", "name" => "get_weather", "output" => r#""sunny""# };
    data_message(run, MessageType::FunctionCallOutput, None, &[], output);
    write(run.message(), &["It is sunny."]);
}

fn mcp_call(run: &RunHandle) {
    let call = |arguments: &str| {
        object! { "call_id" => "call_m", "arguments" => arguments, "name" => "t1", "server_label" => "srv" }
    };
    data_message(run, MessageType::McpCall, Some(call("")), &[], call(r#"{"a": 1}"#));
    let output = object! { "call_id" => "call_m", "name" => "t1", "output" => r#""42""# };
    data_message(run, MessageType::McpCallOutput, None, &[], output);
    write(run.message(), &["ok"]);
}

/// A message with usage from the start.
fn usage(run: &RunHandle) {
    let mut message = Message::new("", MessageType::Message);
    message.id = format!("msg_{}", run.services().ids.uuid());
    (message.role, message.status) = (Some(Role::Assistant), Status::InProgress);
    message.usage = Some(object! { "input_tokens" => 3, "output_tokens" => 5, "total_tokens" => 8 });
    run.emit(message.clone());
    let mut delta = Content::text("u");
    (delta.index, delta.msg_id, delta.delta) = (Some(0), Some(message.id.clone()), Some(true));
    run.emit(delta);
    (message.status, message.content) = (Status::Completed, Some(vec![Content::text("u")]));
    run.emit(message);
}

/// A request as Python's `json.dumps` writes it, with non-ASCII characters as they are.
fn as_python(request: &AgentRequest) -> String {
    fn dump(json: &Json) -> String {
        match json {
            Json::Array(items) => {
                format!("[{}]", items.iter().map(dump).collect::<Vec<_>>().join(", "))
            }
            Json::Object(members) => {
                let member =
                    |(key, value): (&String, &Json)| format!("{}: {}", Json::from(key.as_str()), dump(value));
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
            other => other.to_string(),
        }
    }
    dump(&Json::from_serialize(request).expect("a request"))
}

#[derive(Serialize, Deserialize)]
struct Item {
    name: String,
    #[serde(default = "one")]
    n: i64,
}

#[derive(Serialize)]
struct Got {
    got: Item,
}

fn one() -> i64 {
    1
}

#[derive(Deserialize)]
struct Number {
    #[serde(default)]
    x: i64,
}

#[derive(Deserialize)]
struct Search {
    q: String,
}

#[derive(Serialize)]
struct SearchAnswer {
    pid: String,
    q: String,
}

#[derive(Serialize)]
struct Raw {
    len: usize,
    method: &'static str,
}

/// The equivalents of upstream's `@app.endpoint` handlers, as routes.
pub(super) fn own_routes() -> Router {
    let raw = |method| async move |body: String| JsonBody(Raw { len: body.len(), method });
    Router::new()
        .route("/c/str", get(async || JsonBody("plain")))
        .route("/c/none", get(async || JsonBody(())))
        .route("/c/dict", post(async |JsonBody(body): JsonBody<serde_json::Value>| JsonBody(body)))
        .route("/c/async", post(async |JsonBody(item): JsonBody<Item>| JsonBody(Got { got: item })))
        .route(
            "/c/sync",
            get(async |Query(number): Query<Number>| JsonBody(serde_json::json!({ "sync": number.x }))),
        )
        .route(
            "/c/path/{pid}",
            get(async |Path(pid): Path<String>, Query(search): Query<Search>| {
                JsonBody(SearchAnswer { pid, q: search.q })
            }),
        )
        .route("/c/raise", get(async || (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")))
        .route("/c/raw", post(raw("POST")).put(raw("PUT")))
}
