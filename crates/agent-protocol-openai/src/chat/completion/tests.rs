//! Logs of agents as what a client sees of them: the chunks, and the one answer that says the same.

use std::sync::Arc;

use agent_runner::{AgentError, RunHandle, RunOptions, Runner, Services, agent_fn};
use agent_schemas::merge::merge_chat_completion_chunks;
use agent_schemas::openai::chat::ChatCompletionChunk;
use agent_schemas::{AgentRequest, ContentBody, Error, Event, MessageType, Role, object, sse};
use agent_server::protocol::Translation;
use agent_services::clock::ManualClock;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_800_000_000;

/// A log as it is kept, an entry each.
type Log = Vec<Vec<u8>>;

/// The log of a run of this agent, which is cancelled at once if it waits for that.
async fn log<F>(agent: impl Fn(RunHandle) -> F + Send + Sync + 'static) -> Log
where
    F: Future<Output = Result<(), AgentError>> + Send + 'static,
{
    let mut services = Services::in_memory();
    services.clock = Arc::new(ManualClock::at(NOW));
    let runner =
        Runner::builder().agent("test", agent_fn(agent)).services(services).build().expect("an agent");
    let run = runner.start(AgentRequest::new(vec![]), RunOptions::default()).await.expect("started");
    run.cancel();
    let (mut cursor, mut entries) = (run.cursor(0), Vec::new());
    while let Some(batch) = cursor.next().await {
        entries.extend(sse::frames(&batch.expect("readable").frames).map(<[u8]>::to_vec));
    }
    entries
}

fn completion(wants_usage: bool) -> Completion {
    Completion::new(Head {
        id: "chatcmpl-1".to_owned(),
        model: "m".to_owned(),
        wants_usage,
        uses_functions: false,
    })
}

/// The data of each frame, which is the same whether deltas are decoded or relayed.
fn stream(log: &[Vec<u8>], wants_usage: bool) -> Vec<String> {
    let (mut translation, mut frames) = (Translation::new(completion(wants_usage)), FrameWriter::new());
    log.iter().for_each(|entry| translation.on_entry(entry, &mut frames).expect("an event"));
    let passed = data(&mut frames);
    let (mut completion, mut frames) = (completion(wants_usage), FrameWriter::new());
    let events = log.iter().map(|entry| Event::from_slice(entry).expect("an event"));
    events.for_each(|event| completion.on_event(&event, &mut frames));
    assert_eq!(passed, data(&mut frames));
    passed
}

fn data(frames: &mut FrameWriter) -> Vec<String> {
    let text = String::from_utf8(frames.take().to_vec()).expect("UTF-8");
    text.split_terminator("\n\n").map(|frame| frame.strip_prefix("data: ").expect(frame).to_owned()).collect()
}

async fn answer(log: &[Vec<u8>]) -> (u16, Value) {
    let (mut translation, mut frames) = (Translation::new(completion(false)), FrameWriter::discard());
    log.iter().for_each(|entry| translation.on_entry(entry, &mut frames).expect("an event"));
    let response = translation.answer();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    (status, serde_json::from_slice(&body).expect("JSON"))
}

/// A frame as what is particular about it: what the chunk adds, and why the completion ends.
fn line(frame: &str) -> String {
    if frame == "[DONE]" {
        return frame.to_owned();
    }
    let chunk: Value = serde_json::from_str(frame).expect(frame);
    if let Some(error) = chunk.get("error") {
        return format!("error {}: {}", error["code"].as_str().expect("a code"), error["message"]);
    }
    let (head, choice) = ((&chunk["id"], &chunk["created"], &chunk["model"]), &chunk["choices"][0]);
    assert_eq!(head, (&json!("chatcmpl-1"), &json!(NOW), &json!("m")), "{frame}");
    let reason = choice["finish_reason"].as_str().map(|reason| format!(" {reason}")).unwrap_or_default();
    format!("{}{reason}", choice["delta"])
}

/// Checks what a client sees of a log: the frames, but for those that every stream has, and the answer's message.
async fn check(log: &[Vec<u8>], lines: &[&str], message: Value, reason: &str) {
    let frames = stream(log, false);
    let shown: Vec<String> = frames.iter().map(|frame| line(frame)).collect();
    let [first, between @ .., last, done] = shown.as_slice() else { panic!("too few frames: {shown:?}") };
    assert!(first.contains(r#""role":"assistant""#), "{first}");
    assert_eq!(between, lines);
    assert_eq!((last.as_str(), done.as_str()), (format!("{{}} {reason}").as_str(), "[DONE]"));
    let (status, answer) = answer(log).await;
    let choice = &answer["choices"][0];
    assert_eq!((status, &choice["message"], &choice["finish_reason"]), (200, &message, &json!(reason)));
    // The chunks amount to the answer.
    let chunks = frames.iter().filter(|frame| *frame != "[DONE]");
    let chunks: Vec<ChatCompletionChunk> =
        chunks.map(|frame| serde_json::from_str(frame).expect("a chunk")).collect();
    let merged = merge_chat_completion_chunks(&chunks).expect("chunks");
    let merged = serde_json::to_value(&merged.choices[0].delta).expect("JSON");
    for key in ["content", "refusal", "reasoning_content"] {
        let text = |value: &Value| value[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(text(&merged), text(&message), "{key}");
    }
    let calls = |value: &Value| value["tool_calls"].as_array().map(Vec::len).unwrap_or_default();
    assert_eq!(calls(&merged), calls(&message));
}

/// Checks how a log that does not complete is reported.
async fn check_failed(log: &[Vec<u8>], lines: &[&str], status: u16, code: &str) {
    let shown: Vec<String> = stream(log, true).iter().map(|frame| line(frame)).collect();
    assert_eq!(shown, lines);
    let (found, answer) = answer(log).await;
    assert_eq!((found, &answer["error"]["code"]), (status, &json!(code)), "{answer}");
    assert!(answer["error"]["param"].is_null() && answer["error"]["message"].is_string(), "{answer}");
}

fn message(content: impl Into<Value>) -> Value {
    json!({ "role": "assistant", "content": content.into(), "refusal": null })
}

#[tokio::test]
async fn completion__text_deltas__are_forwarded() {
    let events = log(|run| async move {
        let message = run.message();
        let mut text = message.text();
        text.delta("Hel");
        text.delta("lo");
        Ok(())
    });
    let expected = [r#"{"content":"Hel"}"#, r#"{"content":"lo"}"#];
    check(&events.await, &expected, message("Hello"), "stop").await;
}

#[tokio::test]
async fn completion__concurrent_texts__are_serialized() {
    let events = log(|run| async move {
        let (first, second) = (run.message(), run.message());
        let (mut one, mut two) = (first.text(), second.text());
        for (left, right) in [("a", "1"), ("b", "2")] {
            one.delta(left);
            one.delta(left);
            two.delta(right);
            two.delta(right);
        }
        one.complete();
        two.delta("3");
        two.delta("4");
        Ok(())
    });
    let expected =
        ["a", "a", "b", "b", "\n\n1122", "3", "4"].map(|text| json!({ "content": text }).to_string());
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    check(&events.await, &expected, message("aabb\n\n112234"), "stop").await;
}

#[tokio::test]
async fn completion__forwarded_delta__equals_encoded_chunk() {
    let events = log(|run| async move {
        let (reasoning, message) = (run.reasoning(), run.message());
        let (mut thought, mut text, mut refusal) = (reasoning.text(), message.text(), message.refusal());
        for piece in ["a", "\"b\\\u{2028}", "", "\u{1}é"] {
            thought.delta(piece);
            text.delta(piece);
            refusal.delta(piece);
        }
        Ok(())
    })
    .await;
    let model = r#""delta":{"content":""#;
    let said = |decoded: bool, wants_usage: bool| {
        let head =
            Head { id: "chatcmpl-1".to_owned(), model: model.to_owned(), wants_usage, uses_functions: false };
        let (mut completion, mut frames) = (Completion::new(head), FrameWriter::new());
        if decoded {
            let events = events.iter().map(|entry| Event::from_slice(entry).expect("an event"));
            events.for_each(|event| completion.on_event(&event, &mut frames));
            return data(&mut frames);
        }
        let mut translation = Translation::new(completion);
        events.iter().for_each(|entry| translation.on_entry(entry, &mut frames).expect("an event"));
        assert_eq!(translation.translator().frames.iter().flatten().count(), 3);
        data(&mut frames)
    };
    for wants_usage in [false, true] {
        assert_eq!(said(false, wants_usage), said(true, wants_usage));
    }
    assert!(said(false, true).iter().all(|frame| frame == "[DONE]" || frame.contains(r#""model":"\"delta"#)));
}

#[tokio::test]
async fn completion__chunks__have_required_members() {
    let events = log(|run| async move {
        let message = run.message();
        message.set_usage(object! {
            "input_tokens" => 3_i64, "output_tokens" => 4_i64,
            "prompt_tokens_details" => object! { "cached_tokens" => 2_i64 }
        });
        message.complete();
        Ok(())
    })
    .await;
    let head = r#""id":"chatcmpl-1","object":"chat.completion.chunk","created":1800000000,"model":"m""#;
    let choice = |delta: &str, reason: &str| {
        format!(r#""choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{reason}}}]"#)
    };
    let first = choice(r#"{"role":"assistant","content":""}"#, "null");
    let last = choice("{}", "\"stop\"");
    let usage = r#"{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":2}}"#;
    assert_eq!(
        stream(&events, true),
        [
            format!(r#"{{{head},{first},"usage":null}}"#),
            format!(r#"{{{head},{last},"usage":null}}"#),
            format!(r#"{{{head},"choices":[],"usage":{usage}}}"#),
            "[DONE]".to_owned()
        ]
    );
    assert_eq!(stream(&events, false)[0], format!("{{{head},{first}}}"));
    let (_, answer) = answer(&events).await;
    assert_eq!(
        answer,
        json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": NOW, "model": "m",
            "choices": [{
                "index": 0, "message": message(""), "logprobs": null, "finish_reason": "stop"
            }],
            "usage": serde_json::from_str::<Value>(usage).expect("JSON")
        })
    );
}

#[tokio::test]
async fn completion__reasoning__is_separate_and_server_tools_hidden() {
    let events = log(|run| async move {
        let reasoning = run.reasoning();
        let mut text = reasoning.text();
        text.delta("Hm.");
        text.complete();
        reasoning.complete();
        run.say("Let me see.");
        run.tool_call("c", "calculator").complete("{}");
        run.tool_output("c", "calculator", "42");
        run.open(MessageType::McpCall, Role::Assistant).put_data(object! { "name" => "x" });
        run.open(MessageType::McpApprovalRequest, Role::Assistant).put_data(object! { "name" => "x" });
        run.say("42");
        Ok(())
    });
    let expected =
        [r#"{"reasoning_content":"Hm."}"#, r#"{"content":"Let me see."}"#, r#"{"content":"\n\n42"}"#];
    let mut said = message("Let me see.\n\n42");
    said["reasoning_content"] = "Hm.".into();
    check(&events.await, &expected, said, "stop").await;
}

#[tokio::test]
async fn completion__client_tool_calls__end_the_turn() {
    let events = log(|run| async move {
        let mut first = run.client_tool_call("c1", "weather");
        first.arguments_delta("{\"city\":");
        let mut second = run.client_tool_call("c2", "time");
        second.arguments_delta("{}");
        first.arguments_delta("\"Rome\"}");
        first.complete("{\"city\":\"Rome\"}");
        second.complete("{}");
        Ok(())
    })
    .await;
    let expected = [
        r#"{"tool_calls":[{"function":{"arguments":"","name":"weather"},"id":"c1","index":0,"type":"function"}]}"#,
        r#"{"tool_calls":[{"function":{"arguments":"{\"city\":"},"index":0}]}"#,
        r#"{"tool_calls":[{"function":{"arguments":"","name":"time"},"id":"c2","index":1,"type":"function"}]}"#,
        r#"{"tool_calls":[{"function":{"arguments":"{}"},"index":1}]}"#,
        r#"{"tool_calls":[{"function":{"arguments":"\"Rome\"}"},"index":0}]}"#,
    ];
    let call = |id: &str, name: &str, arguments: &str| json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } });
    let mut said = message(Value::Null);
    said["tool_calls"] = json!([call("c1", "weather", "{\"city\":\"Rome\"}"), call("c2", "time", "{}")]);
    check(&events, &expected, said, "tool_calls").await;
    let first: Value = serde_json::from_str(&stream(&events, false)[0]).expect("JSON");
    assert_eq!(first["choices"][0]["delta"], json!({ "role": "assistant", "content": null }));
}

#[tokio::test]
async fn completion__call_after_text_or_without_arguments__is_sent() {
    let events = log(|run| async move {
        run.say("I look.");
        run.client_tool_call("c1", "look").complete("{}");
        run.open(MessageType::FunctionCall, Role::Assistant)
            .put_data(object! { "name" => "nameless", "arguments" => "1" });
        Ok(())
    });
    let expected = [
        r#"{"content":"I look."}"#,
        r#"{"tool_calls":[{"function":{"arguments":"","name":"look"},"id":"c1","index":0,"type":"function"}]}"#,
        r#"{"tool_calls":[{"function":{"arguments":"{}"},"index":0}]}"#,
        r#"{"tool_calls":[{"function":{"arguments":"1","name":"nameless"},"id":"call_1","index":1,"type":"function"}]}"#,
    ];
    let call = |id: &str, name: &str, arguments: &str| json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } });
    let mut said = message("I look.");
    said["tool_calls"] = json!([call("c1", "look", "{}"), call("call_1", "nameless", "1")]);
    check(&events.await, &expected, said, "tool_calls").await;
}

#[tokio::test]
async fn completion__refusal__is_not_content() {
    let events = log(|run| async move {
        let message = run.message();
        message.refusal().delta("No.");
        message.complete();
        Ok(())
    });
    let said = json!({ "role": "assistant", "content": null, "refusal": "No." });
    check(&events.await, &[r#"{"refusal":"No."}"#], said, "stop").await;
}

#[tokio::test]
async fn completion__media__becomes_text() {
    let events = log(|run| async move {
        let message = run.message();
        message.put(ContentBody::Image { image_url: Some("data:image/png;base64,AA==".into()) });
        message.put_data(object! { "a" => 1_i64 });
        message.put(ContentBody::File {
            file_url: Some("https://host/file.pdf".into()),
            file_id: None,
            filename: None,
            file_data: None,
        });
        message.complete();
        Ok(())
    });
    let image = json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,AA==" } });
    let mut said = message("{\"a\":1}\nhttps://host/file.pdf");
    said["images"] = json!([image]);
    let shown = json!({ "images": [image] }).to_string();
    let expected = [shown.as_str(), r#"{"content":"{\"a\":1}"}"#, r#"{"content":"\nhttps://host/file.pdf"}"#];
    check(&events.await, &expected, said, "stop").await;
}

#[tokio::test]
async fn completion__truncated_answer__has_finish_reason() {
    for reason in ["length", "content_filter"] {
        let events = log(move |run| async move {
            let message = run.message();
            message.text().delta("Once upon");
            message.set_metadata(object! { "finish_reason" => reason });
            message.complete();
            Ok(())
        });
        check(&events.await, &[r#"{"content":"Once upon"}"#], message("Once upon"), reason).await;
    }
}

#[tokio::test]
async fn completion__no_output__is_empty_message() {
    check(&log(|_| async { Ok(()) }).await, &[], message(""), "stop").await;
}

#[tokio::test]
async fn completion__failed_run__is_an_error() {
    let fail = || Err(AgentError::from(Error::Timeout { operation: "search".into(), timeout: 3 }));
    let error = r#"error timeout: "Operation search timed out, timeout limit: 3 seconds""#;
    let at_once = log(move |_| async move { fail() }).await;
    check_failed(&at_once, &[error], 504, "timeout").await;
    let later = log(move |run| async move {
        run.say("Half");
        fail()
    });
    let begin = r#"{"content":"","role":"assistant"}"#;
    check_failed(&later.await, &[begin, r#"{"content":"Half"}"#, error], 504, "timeout").await;
    let agents_own = log(|_| async { Err(AgentError::from(Error::Agent { message: "no".into() })) });
    check_failed(&agents_own.await, &[r#"error agent_error: "no""#], 500, "agent_error").await;
}

#[tokio::test]
async fn completion__canceled_run__is_an_error() {
    let events = log(|run| async move {
        run.say("Half");
        run.cancelled().await;
        Ok(())
    });
    let error = r#"error run_canceled: "The run was cancelled""#;
    let lines = [r#"{"content":"","role":"assistant"}"#, r#"{"content":"Half"}"#, error];
    check_failed(&events.await, &lines, 499, "run_canceled").await;
}

#[tokio::test]
async fn completion__unreadable_log__ends_with_error() {
    let events = log(|run| async move {
        run.say("Half");
        Ok(())
    })
    .await;
    let (mut translation, mut frames) = (Translation::new(completion(false)), FrameWriter::new());
    let (_, readable) = events.split_last().expect("a log");
    readable.iter().for_each(|entry| translation.on_entry(entry, &mut frames).expect("an event"));
    translation.on_abort(&Error::RunInterrupted { reason: "gone".to_owned() }.to_body(), &mut frames);
    let last = data(&mut frames).pop().expect("frames");
    assert!(last.starts_with(r#"{"error":{"message":"#) && last.contains("server_error"), "{last}");
}

#[tokio::test]
async fn call__client_declares_functions__is_its_function_call() {
    let log = log(|run: RunHandle| async move {
        for call in ["c1", "c2"] {
            let call = run.client_tool_call(call, "f");
            call.complete(r#"{"a":1}"#);
        }
        Ok(())
    })
    .await;
    let head = || Head {
        id: "chatcmpl-1".to_owned(),
        model: "m".to_owned(),
        wants_usage: false,
        uses_functions: true,
    };
    let (mut translation, mut frames) = (Translation::new(Completion::new(head())), FrameWriter::new());
    log.iter().for_each(|entry| translation.on_entry(entry, &mut frames).expect("an event"));
    let shown: Vec<String> = data(&mut frames).iter().map(|frame| line(frame)).collect();
    let calls: Vec<&String> = shown.iter().filter(|line| line.contains("function_call\":{")).collect();
    let name = r#""name":"f""#;
    assert_eq!(calls.iter().filter(|line| line.contains(name)).count(), 1, "{shown:?}");
    assert!(!shown.iter().any(|line| line.contains("tool_calls")), "{shown:?}");
    assert!(shown.contains(&"{} function_call".to_owned()), "{shown:?}");
    let response = translation.answer();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    let answer: Value = serde_json::from_slice(&body).expect("JSON");
    let choice = &answer["choices"][0];
    assert_eq!(
        choice["message"]["function_call"],
        json!({ "name": "f", "arguments": r#"{"a":1}"# }),
        "{answer}"
    );
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["content"]),
        (&json!("function_call"), &Value::Null)
    );
    assert_eq!(choice["message"].get("tool_calls"), None);
}
