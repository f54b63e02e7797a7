//! Vendor-specific types, for behavior that upstream's recordings do not cover.

use agent_schemas::embedding::{Embedding, EmbeddingVector};
use agent_schemas::modelstudio::{PromptStrategy, RagOptions};
use agent_schemas::realtime::{
    AzureTtsConfig, ModelstudioAsrConfig, ModelstudioKnowledgeBaseConfig, ModelstudioVoiceChatDirective,
    ModelstudioVoiceChatRequest, ModelstudioVoiceChatResponse,
};
use agent_schemas::response_api::{ResponseAPI, ResponseInput, ResponseInputPart};
use agent_schemas::session::{Session, SessionMessage};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads a text that is written again unchanged.
#[track_caller]
fn same<T: DeserializeOwned + Serialize>(text: &str) -> T {
    let value: T = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&value).unwrap(), text);
    value
}

fn fault<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
    serde_json::from_str::<T>(text).unwrap_err().to_string()
}

#[test]
fn voice_request__directive__selects_the_payload() {
    let stop: ModelstudioVoiceChatRequest = same(r#"{"directive":"SessionStop","payload":{}}"#);
    assert_eq!(stop.directive(), ModelstudioVoiceChatDirective::SessionStop);
    assert_eq!(
        fault::<ModelstudioVoiceChatRequest>(r#"{"directive":"SessionPause","payload":{}}"#),
        "directive: expected 'SessionStart' or 'SessionStop'"
    );
    assert_eq!(
        fault::<ModelstudioVoiceChatRequest>(
            r#"{"directive":"SessionStart","payload":{"upstream":{"asr_vendor":"x"}}}"#
        ),
        "payload.upstream.asr_vendor: expected 'modelstudio' or 'azure'"
    );
}

#[test]
fn voice_response__unknown_event__is_kept() {
    for text in [r#"{"event":"Applause","payload":{"loud":1.50}}"#, r#"{"event":null,"payload":[]}"#] {
        let response: ModelstudioVoiceChatResponse = same(text);
        assert!(matches!(response, ModelstudioVoiceChatResponse::Other { .. }));
    }
    let text = r#"{"event":"AudioTranscript","payload":{"session_id":null,"text":"t","finished":false}}"#;
    assert!(
        matches!(same(text), ModelstudioVoiceChatResponse::AudioTranscript(payload) if !payload.finished)
    );
}

#[test]
fn api_keys__serialized__but_hidden_in_debug() {
    let azure = AzureTtsConfig { key: Some("sk-1".into()), ..AzureTtsConfig::default() };
    let modelstudio =
        ModelstudioAsrConfig { api_key: Some("sk-1".into()), ..ModelstudioAsrConfig::default() };
    let knowledge = ModelstudioKnowledgeBaseConfig {
        api_key: "sk-1".into(),
        ..ModelstudioKnowledgeBaseConfig::default()
    };
    let shown = format!("{azure:?} {modelstudio:?} {knowledge:?}");
    assert!(!shown.contains("sk-1"), "{shown}");
    for written in [
        serde_json::to_string(&azure).unwrap(),
        serde_json::to_string(&modelstudio).unwrap(),
        serde_json::to_string(&knowledge).unwrap(),
    ] {
        assert!(written.contains(r#"key":"sk-1""#), "{written}");
    }
}

#[test]
fn embedding__floats_or_base64__round_trips() {
    let numbers: Embedding =
        same(r#"{"embedding":[0.25,-1.0],"index":0,"object":"embedding","truncated":true}"#);
    assert_eq!(numbers.embedding, EmbeddingVector::Floats(vec![0.25, -1.0]));
    let base64: Embedding = same(r#"{"embedding":"AACAPg==","index":1,"object":"embedding"}"#);
    assert_eq!(base64.embedding, EmbeddingVector::Base64("AACAPg==".to_owned()));
}

#[test]
fn session__non_messages__are_kept() {
    let text = r#"{"id":"s","user_id":"u","messages":[{"note":1.0,"a":null},{}]}"#;
    let session: Session = same(text);
    assert!(session.messages.iter().all(|message| matches!(message, SessionMessage::Other(_))));
    assert_eq!(
        fault::<Session>(r#"{"id":"s","user_id":"u","messages":[{}, 5]}"#),
        "messages.1: expected an object"
    );
}

#[test]
fn prompt_strategy__any_spelling__is_normalized() {
    for name in ["topK", "TOPK", "top_k"] {
        assert_eq!(PromptStrategy::from(name), PromptStrategy::default());
    }
    let options: RagOptions = serde_json::from_str(r#"{"maximum_allowed_chunk_num":null}"#).unwrap();
    assert_eq!(options.maximum_allowed_chunk_num, None);
}

#[test]
fn responses_input__parts__round_trip_exactly() {
    let parts = r#"{"type":"input_file","file_id":"f"},{"type":"input_hologram","b":1,"a":2}"#;
    let messages = format!(r#"[{{"content":[{parts}],"role":"developer"}}]"#);
    let input: ResponseInput = same(&messages);
    let ResponseInput::Messages(messages) = input else { panic!("{input:?}") };
    assert!(matches!(messages[0].content[..], [ResponseInputPart::File(_), ResponseInputPart::Other { .. }]));
}

#[test]
fn responses_request__invalid_member__names_its_path() {
    for (text, expected) in [
        (r#"{"input":5}"#, "input: expected a string or an array of messages"),
        (r#"{"input":[{"role":"user","content":[{}]}]}"#, "input.0.content.0.type: this field is required"),
        (r#"{"input":"","tool_choice":{}}"#, "tool_choice.type: this field is required"),
        (r#"{"input":"","tool_choice":{"type":5}}"#, "tool_choice.type: expected a string"),
        (r#"{"input":"","truncation":"left"}"#, "truncation: expected 'disabled' or 'auto'"),
        (r#"{"input":"","metadata":{"a":1}}"#, "metadata.a: expected a string"),
    ] {
        assert_eq!(fault::<ResponseAPI>(text), expected);
    }
}
