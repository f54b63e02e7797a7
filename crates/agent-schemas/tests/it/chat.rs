//! Chat completions as model servers send them, and answers built from messages.

use agent_schemas::openai::chat::{
    AssistantMessage, ChatCompletion, ChatCompletionChunk, FinishReason, ImageDetail, MessageContent,
    MessageContentPart, OpenAIMessage, ToolMessage, create_chat_completion, create_chat_completion_chunk,
    prefixed_tool_call_id, tool_call_id,
};
use agent_schemas::{IdSource, Json};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::support::{golden_lines, member, text};

/// Reads JSON, and checks that nothing is lost: every member that is not null is written again.
#[track_caller]
fn keeps<T: DeserializeOwned + Serialize>(json: &str) -> T {
    let value: T = serde_json::from_str(json).unwrap_or_else(|fault| panic!("{fault}: {json}"));
    let read = agent_schemas::json::parse(json).unwrap();
    assert_kept(&read, &Json::from_serialize(&value).unwrap());
    value
}

#[track_caller]
fn assert_kept(read: &Json, written: &Json) {
    match (read, written) {
        (Json::Null, _) => {}
        (Json::Object(members), _) => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .for_each(|(key, value)| assert_kept(value, written.get(key).expect(key))),
        (Json::Array(items), Json::Array(others)) => {
            assert_eq!(items.len(), others.len());
            items.iter().zip(others).for_each(|(read, written)| assert_kept(read, written));
        }
        (Json::Number(read), Json::Number(written)) => assert_eq!(read.as_f64(), written.as_f64()),
        _ => assert_eq!(read, written),
    }
}

#[test]
fn chunk__from_known_servers__round_trips() {
    for json in [
        // DashScope: null texts next to reasoning.
        r#"{"choices":[{"delta":{"content":null,"role":"assistant","reasoning_content":""},"index":0,
            "logprobs":null,"finish_reason":null}],"object":"chat.completion.chunk","usage":null,"created":1741185359,
            "system_fingerprint":null,"model":"qwq-32b","id":"chatcmpl-1"}"#,
        // vLLM: no finish reason, empty calls, and its own reasons.
        r#"{"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"q","choices":[{"index":0,
            "delta":{"content":"a","tool_calls":[]},"logprobs":null,"stop_reason":128009}],"prompt_token_ids":null}"#,
        // llama.cpp: timings.
        r#"{"choices":[{"finish_reason":"stop","index":0,"delta":{}}],"created":1,"id":"chatcmpl-3","model":"m",
            "system_fingerprint":"b1-a","object":"chat.completion.chunk","timings":{"prompt_n":1,"predicted_ms":1.5}}"#,
        // Ollama: calls without an index.
        r#"{"id":"chatcmpl-4","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp_ollama",
            "choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":[{"id":"call_1",
            "type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":null}]}"#,
        // Proxies: nulls instead of lists and objects, and their own reasons.
        r#"{"id":null,"choices":null,"usage":{"prompt_tokens":1,"completion_tokens":null}}"#,
        r#"{"choices":[{"delta":null,"finish_reason":"insufficient_system_resource"}]}"#,
        r#"{"choices":[{}]}"#,
        "{}",
    ] {
        keeps::<ChatCompletionChunk>(json);
    }
}

#[test]
fn completion__from_known_servers__round_trips() {
    let completion: ChatCompletion = keeps(
        r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{
            "role":"assistant","content":null,"reasoning":"hm","annotations":[{"type":"url_citation",
            "url_citation":{"start_index":0,"end_index":3,"title":"t","url":"u"}}],"tool_calls":[
            {"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},
            {"id":"b","type":"custom","custom":{"name":"g","input":"x"}}]},
            "logprobs":{"content":[{"token":"a","logprob":null,"bytes":null}]},"finish_reason":"tool_calls"}],
            "usage":{"prompt_tokens":5,"total_tokens":9,"completion_tokens":4,"prompt_tokens_details":
            {"cached_tokens":2,"image_tokens":1},"completion_tokens_details":{"reasoning_tokens":3}},
            "service_tier":"default","kv_transfer_params":null,"metrics":{"a":1}}"#,
    );
    let choice = &completion.choices[0];
    assert_eq!(choice.finish_reason, Some(FinishReason::ToolCalls));
    assert_eq!(choice.message.extra["reasoning"].as_str(), Some("hm"));
    let logprobs = choice.logprobs.as_ref().unwrap().content.as_ref().unwrap();
    assert!((logprobs[0].logprob + 9999.0).abs() < f64::EPSILON);
    keeps::<ChatCompletion>(r#"{"choices":[{"message":{"content":"hi"},"finish_reason":null}]}"#);
    keeps::<ChatCompletion>("{}");
}

#[test]
fn chunk__wrong_type__is_refused() {
    for json in
        ["[]", r#"{"choices":{}}"#, r#"{"choices":[{"delta":{"content":5}}]}"#, r#"{"created":"soon"}"#]
    {
        assert!(serde_json::from_str::<ChatCompletionChunk>(json).is_err(), "{json}");
    }
}

fn assistant(content: MessageContent) -> AssistantMessage {
    AssistantMessage { content: Some(content), ..AssistantMessage::default() }
}

#[test]
fn completion__text_parts__are_joined() {
    let texts = vec![MessageContentPart::text("a"), MessageContentPart::text("b")];
    let answer = create_chat_completion(assistant(MessageContent::Parts(texts)), "m", "c", None, 1).unwrap();
    assert_eq!(answer.choices[0].message.content.as_deref(), Some("ab"));
    assert_eq!(answer.choices[0].finish_reason, Some(FinishReason::Stop));
    let image = MessageContent::Parts(vec![MessageContentPart::image("u", ImageDetail::High)]);
    let fault = create_chat_completion(assistant(image), "m", "c", None, 1).unwrap_err();
    assert!(fault.to_string().starts_with("choices.0.message.content: "), "{fault}");
}

#[test]
fn completion__tool_calls__set_finish_reason() {
    let message: AssistantMessage =
        serde_json::from_str(r#"{"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]}"#)
            .unwrap();
    let answer = create_chat_completion(message.clone(), "m", "c", None, 1).unwrap();
    assert_eq!(answer.choices[0].finish_reason, Some(FinishReason::ToolCalls));
    let chunk = create_chat_completion_chunk(message, "m", "c", Some(FinishReason::ToolCalls), 1).unwrap();
    assert_eq!(chunk.choices[0].finish_reason, Some(FinishReason::ToolCalls));

    let of_tool = ToolMessage { tool_call_id: "c".into(), ..ToolMessage::default() };
    let chunk = create_chat_completion_chunk(of_tool.clone(), "m", "c", None, 1).unwrap();
    assert_eq!(chunk.choices[0].delta.role.as_deref(), Some("tool"));
    assert_eq!(chunk.choices[0].delta.extra["tool_call_id"].as_str(), Some("c"));
    let fault = create_chat_completion(of_tool, "m", "c", None, 1).unwrap_err();
    assert_eq!(
        (fault.kind, fault.to_string().split(':').next().unwrap()),
        ("literal_error", "choices.0.message.role")
    );
    let stranger = OpenAIMessage { role: "stranger".into(), ..OpenAIMessage::default() };
    assert!(create_chat_completion_chunk(stranger, "m", "c", None, 1).is_err());
}

#[test]
fn message__unknown_members__are_kept() {
    let json = r#"{"role":"tool","content":"4","name":null,"tool_calls":null,"tool_call_id":"c"}"#;
    let message: OpenAIMessage = serde_json::from_str(json).unwrap();
    assert_eq!(text(&message), json);
}

#[test]
fn audio__data_url__is_not_wrapped_again() {
    let parts =
        [("AA", "mp3"), ("AA", "wav"), ("https://host/a.wav", "wav"), ("data:audio/wav;base64,AA", "wav")];
    let parts = parts.map(|(data, format)| MessageContentPart::audio(data, format));
    let urls = MessageContent::Parts(parts.into()).audios();
    let expected = [
        "data:audio/mpeg;base64,AA",
        "data:audio/wav;base64,AA",
        "https://host/a.wav",
        "data:audio/wav;base64,AA",
    ];
    assert_eq!(urls, expected);
}

#[derive(Debug)]
struct Digits;

impl IdSource for Digits {
    fn uuid(&self) -> String {
        "0".into()
    }

    fn random(&self) -> String {
        "0123456789abcdef0123456789abcdef".into()
    }
}

#[test]
fn tool_call_id__has_22_digits() {
    assert_eq!(tool_call_id(&Digits), "call_0123456789abcdef012345");
    assert_eq!(prefixed_tool_call_id("fc_", &Digits), "fc_0123456789abcdef012345");
}

#[test]
fn tool_call_id__matches_recorded_pattern() {
    let cases = golden_lines("schemas_validation.jsonl");
    let mut cases =
        cases.iter().filter(|case| member(case, "model").as_str() == Some("generate_tool_call_id"));
    let case = cases.next().unwrap();
    let schema = serde_json::json!({ "pattern": member(case, "pattern").as_str().unwrap() });
    let ours = jsonschema::is_valid(&schema, &tool_call_id(&Digits).into());
    assert_eq!(Json::from(ours), *member(case, "matches"));
    assert!(cases.next().is_none());
}
