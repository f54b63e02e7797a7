//! OpenAI's types, replayed from upstream's recordings of what it reads, rejects and writes.

use agent_schemas::openai::chat::{
    AssistantMessage, FinishReason, OpenAIMessage, Parameters, ResponseFormat, SystemMessage, ToolMessage,
    UserMessage, create_chat_completion, create_chat_completion_chunk, is_json_string,
};
use agent_schemas::{Json, ValidationError, export, object};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::support::{golden_lines, member, replay, text};

const MODELS: [&str; 8] = [
    "ResponseFormat",
    "Parameters",
    "OpenAIMessage",
    "UserMessage",
    "AssistantMessage",
    "SystemMessage",
    "ToolMessage",
    "is_json_string",
];

/// The compared parts of an error: its kind, its location, and the wording of our own rules.
fn fault(kind: &str, step: &str, message: &str) -> String {
    let words = if kind == "value_error" { message } else { "" };
    format!("error {kind} at {step:?} {words}")
}

fn our_fault(error: &ValidationError) -> String {
    let shown = error.to_string();
    let (place, message) = shown.split_once(": ").unwrap_or(("", &shown));
    fault(error.kind, place.rsplit('.').next().unwrap(), message)
}

/// The first error in upstream's words, with only the last step of its location, because the others have upstream's own
/// names.
fn their_fault(error: &str) -> String {
    let mut lines = error.lines().skip(1);
    let mut line = lines.next().unwrap();
    let mut step = "";
    if !line.starts_with(' ') {
        // In a union of a list and a text, the location of an error in the list ends with its position.
        step = line.rsplit('.').next().unwrap();
        line = lines.next().unwrap();
    }
    let (message, rest) = line.split_once(" [type=").unwrap();
    fault(rest.split(',').next().unwrap(), step, message.trim().trim_start_matches("Value error, "))
}

fn result<T: Serialize>(outcome: Result<T, ValidationError>) -> String {
    outcome.map_or_else(|error| our_fault(&error), |value| text(&value))
}

/// Reads and writes a value by the name of its type.
fn canonical(model: &str, input: &Json) -> String {
    let types = export::types();
    let exported = types.iter().find(|exported| exported.name() == model).unwrap();
    result(exported.canonical(input.clone()))
}

fn read<T: DeserializeOwned>(json: &Json) -> T {
    serde_json::from_str(&json.to_string()).unwrap()
}

fn getters(message: &OpenAIMessage) -> String {
    let images: Vec<Json> = message.image_content().into_iter().map(Json::from).collect();
    let audios: Vec<Json> = message.audio_content().into_iter().map(Json::from).collect();
    let all = object! {
        "text" => message.text_content().map(str::to_owned),
        "images" => images,
        "audios" => audios,
        "multi" => message.has_multimodal_content(),
        "summary" => Json::from_serialize(&message.content_summary()).unwrap(),
    };
    text(&all)
}

fn created(model: &str, how: &str, input: &Json) -> String {
    let message: OpenAIMessage = match model {
        "UserMessage" => read::<UserMessage>(input).into(),
        _ => read::<AssistantMessage>(input).into(),
    };
    if how.starts_with("create_chat_completion_chunk") {
        return result(create_chat_completion_chunk(message, "model-x", "id1", None, 1));
    }
    let reason = (!how.ends_with("no finish_reason")).then_some(FinishReason::Stop);
    result(create_chat_completion(message, "model-x", "id1", reason, 1))
}

#[test]
fn openai_types__recorded_cases__match_golden() {
    let cases: Vec<Json> = golden_lines("schemas_validation.jsonl")
        .into_iter()
        .filter(|case| MODELS.contains(&member(case, "model").as_str().unwrap()))
        .collect();
    assert!(cases.len() > 40, "{}", cases.len());
    replay("schemas_validation.jsonl#openai", &cases, |case| {
        let model = member(case, "model").as_str().unwrap();
        let input = member(case, "input");
        let name =
            case.get("name").map_or_else(|| input.to_string(), |name| name.as_str().unwrap().to_owned());
        let ours = if model == "is_json_string" {
            input.as_str().is_some_and(is_json_string).to_string()
        } else if name.starts_with("getters") {
            getters(&read(input))
        } else if name.starts_with("create") {
            created(model, &name, input)
        } else {
            canonical(model, input)
        };
        let theirs = match case.get("error") {
            Some(error) => their_fault(member(error, "message").as_str().unwrap()),
            None => member(case, "output").to_string(),
        };
        (format!("{model}/{name}"), ours, theirs)
    });
}

/// The table of exported types contains all types by their own names.
#[test]
fn default__equals_empty_object() {
    let empty = object! {};
    assert_eq!(read::<Parameters>(&Json::from(empty.clone())), Parameters::default());
    assert_eq!(read::<ResponseFormat>(&Json::from(empty.clone())), ResponseFormat::Text);
    assert_eq!(read::<SystemMessage>(&Json::from(empty)), SystemMessage::default());
    let answer: OpenAIMessage = ToolMessage { tool_call_id: "c".into(), ..ToolMessage::default() }.into();
    assert_eq!(answer.extra["tool_call_id"].as_str(), Some("c"));
}
