//! Chat Completions of the real binary, over real sockets.

mod random;

use agent_tests::client::events;
use agent_tests::completions::{self, Ended};
use agent_tests::{Answer, Launch, ScriptedModel, Server, WaitingModel, pause, within};
use serde_json::{Value, json};

const PATH: &str = "/v1/chat/completions";

async fn demo() -> Server {
    Launch::bare(&["--port", "0", "--agent", "demo", "--log-format", "json"]).start().await
}

async fn scripted() -> (ScriptedModel, Server) {
    let model = ScriptedModel::start().await;
    let server = Launch::bare(&["--port", "0", "--log-format", "json"]).config(&model.config()).start().await;
    (model, server)
}

async fn post(server: &Server, body: &Value) -> Answer {
    server.connect().await.call("POST", PATH, Some(body)).await
}

/// The completion of these messages, with the additional members in `more`.
async fn complete(server: &Server, messages: Value, more: Value) -> Value {
    let mut body = json!({ "model": "any", "messages": messages });
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let answer = post(server, &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn user(text: &str) -> Value {
    json!({ "role": "user", "content": text })
}

fn said(completion: &Value) -> &str {
    completion["choices"][0]["message"]["content"].as_str().expect("a content")
}

/// The chunks of a stream, which must be valid.
fn chunks(answer: &Answer) -> Vec<Value> {
    let checked = completions::check(&answer.body);
    assert!(matches!(checked, Ok(Ended::Well(_))), "{checked:?}: {answer:?}");
    events(answer.body.strip_suffix("data: [DONE]\n\n").expect("it was checked"))
}

/// The error: status, type, parameter and code.
fn fault(answer: &Answer) -> (u16, String, Value, String) {
    assert!(answer.header("x-request-id").is_some(), "{answer:?}");
    let json = answer.json();
    let error = json["error"].as_object().expect("an error");
    assert_eq!(error.keys().collect::<Vec<_>>(), ["code", "message", "param", "type"], "{answer:?}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer:?}");
    let text = |key: &str| error[key].as_str().unwrap_or("-").to_owned();
    (answer.status, text("type"), error["param"].clone(), text("code"))
}

#[tokio::test]
async fn stream_and_answer__say_the_same() {
    let server = demo().await;
    let whole = complete(&server, json!([user("What is 6 times 7?")]), json!({})).await;
    assert_eq!((said(&whole), &whole["model"]), ("6 × 7 = 42", &json!("any")));
    let body = json!({ "messages": [user("What is 6 times 7?")], "stream": true });
    let stream = post(&server, &body).await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let chunks = chunks(&stream);
    let text: String =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(text, said(&whole));
    assert_eq!(
        chunks[0]["model"], "demo",
        "without a model in the request, the response has the agent's name"
    );
    let id = chunks[0]["id"].as_str().expect("an id");
    assert!(chunks.iter().all(|chunk| chunk["id"] == id && chunk["choices"].as_array().is_some()));
}

#[tokio::test]
async fn run__other_protocol__shows_the_same() {
    let server = demo().await;
    let body = json!({ "messages": [user("What is 6 times 7?")], "user": "ann" });
    let answer = post(&server, &body).await;
    let run = answer.header("x-run-id").expect("a run").to_owned();
    assert_eq!(answer.json()["id"], run.replace("run_", "chatcmpl-"));
    let info = server.connect().await.get(&format!("/runs/{run}")).await.json();
    assert_eq!((&info["status"], &info["user_id"]), (&json!("completed"), &json!("ann")));
    let outputs = info["response"]["output"].as_array().expect("messages");
    assert_eq!(outputs.len(), 4, "the agent's own tool is in the run, not in the completion");
    assert!(answer.json()["choices"][0]["message"].get("tool_calls").is_none());
}

#[tokio::test]
async fn history__without_session__is_the_clients() {
    let server = demo().await;
    let stateless = json!({ "user": "ann" });
    complete(&server, json!([user("I like figs")]), stateless).await;
    let sessions = server.connect().await.get("/sessions?user_id=ann").await.json();
    assert_eq!(sessions["data"], json!([]));
    for more in [json!({ "metadata": { "session_id": "s" } }), json!({ "session_id": "s" })] {
        let mut more = more;
        more["user"] = "ann".into();
        complete(&server, json!([user("I like figs")]), more).await;
    }
    let more = json!({ "user": "ann", "session_id": "s" });
    let remembered = complete(&server, json!([user("What do you remember?")]), more).await;
    assert_eq!(said(&remembered), "In this session you have said:\n- I like figs\n- I like figs");
}

#[tokio::test]
async fn client_tool__call_and_output__round_trip() {
    let (model, server) = scripted().await;
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    let tool = |name: &str| json!({ "type": "function", "function": { "name": name, "parameters": schema } });
    for (question, count) in [("call it", 1), ("in parallel", 2)] {
        let more = json!({ "tools": [tool("weather"), tool("time")], "tool_choice": "auto" });
        let first = complete(&server, json!([user(question)]), more.clone()).await;
        let choice = &first["choices"][0];
        assert_eq!(
            (&choice["finish_reason"], &choice["message"]["content"]),
            (&json!("tool_calls"), &Value::Null)
        );
        let calls = choice["message"]["tool_calls"].as_array().expect("calls").clone();
        assert_eq!(calls.len(), count);
        assert_eq!(calls[0]["function"], json!({ "name": "weather", "arguments": "{\"city\":\"Rome\"}" }));
        let mut messages = vec![user(question), choice["message"].clone()];
        for (number, call) in calls.iter().enumerate() {
            messages
                .push(json!({ "role": "tool", "tool_call_id": call["id"], "content": format!("{number}") }));
        }
        let second = complete(&server, json!(messages), more).await;
        let outputs = if count == 1 { "0" } else { "0, 1" };
        assert_eq!(said(&second), format!("The tools say: {outputs}"));
        assert_eq!(second["choices"][0]["finish_reason"], "stop");
    }
    let received = model.received();
    assert_eq!(received.len(), 4);
    assert_eq!(received[0]["tool_choice"], "auto");
    let roles: Vec<&Value> = received[3]["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .map(|message| &message["role"])
        .collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool"]);
}

#[tokio::test]
async fn client_tool__output_in_session__needs_no_messages() {
    let (_model, server) = scripted().await;
    let more = json!({
        "session_id": "s", "tools": [{ "type": "function", "function": { "name": "weather" } }]
    });
    let first = complete(&server, json!([user("call it")]), more.clone()).await;
    let id = first["choices"][0]["message"]["tool_calls"][0]["id"].clone();
    let output = json!([{ "role": "tool", "tool_call_id": id, "content": "sunny" }]);
    assert_eq!(said(&complete(&server, output, more).await), "The tools say: sunny");
}

#[tokio::test]
async fn request__all_parameters__reach_the_model() {
    let (model, server) = scripted().await;
    let image = json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,AA==" } });
    let audio = json!({ "type": "input_audio", "input_audio": { "data": "AA==", "format": "wav" } });
    let file = json!({ "type": "file", "file": { "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA==" } });
    let content = json!([{ "type": "text", "text": "look" }, image, audio, file]);
    let schema = json!({ "type": "object", "properties": { "answer": { "type": "integer" } } });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": schema } });
    let more = json!({
        "temperature": 0.5, "seed": 7, "stop": ["x"], "max_completion_tokens": 9, "response_format": format
    });
    let messages =
        json!([{ "role": "developer", "content": "Be brief." }, { "role": "user", "content": content }]);
    let answer = complete(&server, messages, more).await;
    assert_eq!(said(&answer), "{\"answer\":42}");
    assert_eq!(answer["usage"]["total_tokens"], 7);
    assert_eq!(answer["usage"]["prompt_tokens_details"]["cached_tokens"], 1);
    let received = model.received().remove(0);
    assert_eq!(received["messages"][0], json!({ "role": "system", "content": "Be brief." }));
    assert_eq!(received["messages"][1]["content"], content);
    for (key, value) in
        [("temperature", json!(0.5)), ("seed", json!(7)), ("stop", json!(["x"])), ("max_tokens", json!(9))]
    {
        assert_eq!(received[key], value, "{key}");
    }
    assert_eq!(received["response_format"], format);
}

#[tokio::test]
async fn refusal_or_truncation__is_reported() {
    let (_model, server) = scripted().await;
    let refused = complete(&server, json!([user("refuse")]), json!({})).await;
    let message = &refused["choices"][0]["message"];
    assert_eq!((&message["refusal"], &message["content"]), (&json!("I would rather not."), &Value::Null));
    let cut = complete(&server, json!([user("a long story")]), json!({})).await;
    assert_eq!((said(&cut), &cut["choices"][0]["finish_reason"]), ("Once upon a", &json!("length")));
    let body = json!({
        "messages": [user("a long story")], "stream": true, "stream_options": { "include_usage": true }
    });
    let chunks = chunks(&post(&server, &body).await);
    let [.., last, usage] = chunks.as_slice() else { panic!("{chunks:?}") };
    assert_eq!(last["choices"][0]["finish_reason"], "length");
    assert_eq!((&usage["choices"], &usage["usage"]["total_tokens"]), (&json!([]), &json!(7)));
}

#[tokio::test]
async fn failed_run__is_an_error_not_to_retry() {
    let server = demo().await;
    let whole = post(&server, &json!({ "messages": [user("fail")] })).await;
    assert_eq!(fault(&whole), (500, "server_error".into(), Value::Null, "agent_error".into()));
    assert_eq!(whole.header("x-should-retry"), Some("false"));
    let stream = post(&server, &json!({ "messages": [user("fail")], "stream": true })).await;
    assert_eq!(stream.status, 200);
    let checked = completions::check(&stream.body);
    assert!(matches!(&checked, Ok(Ended::Badly(error)) if error["code"] == "agent_error"), "{checked:?}");
}

#[tokio::test]
async fn invalid_request__has_openai_error_format() {
    let server = Launch::echo("[http]\nbody_limit_bytes = 10000\n").start().await;
    let bad = |param: Value, code: &str| (400, "invalid_request_error".to_owned(), param, code.to_owned());
    for (body, expected) in [
        (json!({}), bad(json!("messages"), "invalid_request")),
        (json!({ "messages": [] }), bad(json!("messages"), "invalid_parameter")),
        (json!({ "messages": [{ "role": "user" }] }), bad(json!("messages[0].content"), "invalid_request")),
        (json!({ "messages": [user("hi")], "n": 2 }), bad(json!("n"), "invalid_parameter")),
        (json!({ "messages": [user("hi")], "stream": "?" }), bad(json!("stream"), "invalid_request")),
        (json!([]), bad(Value::Null, "invalid_request")),
    ] {
        assert_eq!(fault(&post(&server, &body).await), expected, "{body}");
    }
    let nested = "[".repeat(5000);
    for (body, status, code) in [("{", 400, "malformed_json"), (nested.as_str(), 400, "unreadable_body")] {
        let head =
            format!("POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len());
        let answer = server.connect().await.send((head + body).as_bytes()).await.answer().await;
        assert_eq!((fault(&answer).0, fault(&answer).3.as_str()), (status, code));
    }
    let huge = post(&server, &json!({ "messages": [user(&"x".repeat(20_000))] })).await;
    assert_eq!(fault(&huge), (413, "invalid_request_error".into(), Value::Null, "payload_too_large".into()));
    let nothing = server.connect().await.get("/v1/nothing").await;
    assert_eq!(fault(&nothing).3, "not_found");
    assert_eq!(fault(&server.connect().await.get(PATH).await).0, 405);
    server.check_health().await;
}

#[tokio::test]
async fn models__list_the_served_agents() {
    let server = demo().await;
    let models = server.connect().await.get("/v1/models").await.json();
    assert_eq!((&models["object"], &models["data"][0]["id"]), (&json!("list"), &json!("demo")));
    assert_eq!(models["models"], json!([]), "Codex expects this list");
    assert_eq!(server.connect().await.get("/v1/models/demo").await.json(), models["data"][0]);
    let missing = server.connect().await.get("/v1/models/gpt-9").await;
    assert_eq!(
        fault(&missing),
        (404, "invalid_request_error".into(), json!("model"), "model_not_found".into())
    );
}

#[tokio::test]
async fn busy_session__reject_policy__is_refused() {
    let model = WaitingModel::start().await;
    let server = Launch::bare(&["--port", "0", "--log-format", "json"]).config(&model.config()).start().await;
    let body = json!({ "messages": [user("hi")], "session_id": "s", "stream": true });
    let request = format!(
        "POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}",
        body.to_string().len()
    );
    let mut first = server.connect().await;
    assert_eq!(first.send(request.as_bytes()).await.head().await.status, 200);
    first.until("Hello").await;
    let mut refusing = body.clone();
    refusing["session_policy"] = "reject".into();
    let refused = post(&server, &refusing).await;
    assert_eq!(fault(&refused), (409, "invalid_request_error".into(), Value::Null, "session_busy".into()));
    refusing["session_policy"] = "push".into();
    assert_eq!(fault(&post(&server, &refusing).await).2, "session_policy");
    model.release();
    assert!(first.rest().await.expect("the stream continues").ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn stream__client_disconnects__cancels_the_run() {
    let model = WaitingModel::start().await;
    let server = Launch::bare(&["--port", "0", "--log-format", "json"]).config(&model.config()).start().await;
    let body = json!({ "messages": [user("hi")], "stream": true }).to_string();
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len());
    let mut connection = server.connect().await;
    connection.send((head + &body).as_bytes()).await;
    let run = connection.head().await.header("x-run-id").expect("a run").to_owned();
    connection.until("Hello").await;
    drop(connection);
    // Long before the grace period of a stream that can be resumed.
    within("the run to be cancelled", async {
        while server.connect().await.get(&format!("/runs/{run}")).await.json()["status"] != "canceled" {
            pause().await;
        }
    })
    .await;
}

#[tokio::test]
async fn idempotency_key__repeated__gives_same_completion() {
    let server = demo().await;
    let body = json!({ "messages": [user("What time is it?")] }).to_string();
    let request = format!(
        "POST {PATH} HTTP/1.1\r\nhost: localhost\r\nidempotency-key: k\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let first = server.connect().await.send(request.as_bytes()).await.answer().await;
    let again = server.connect().await.send(request.as_bytes()).await.answer().await;
    assert_eq!((first.status, &first.body), (200, &again.body));
}
