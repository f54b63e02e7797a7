//! Merges of chunks and events, replayed from upstream's recordings.

use agent_schemas::merge::{
    finish_reason_of_chunk, finish_reason_of_message, finish_reason_of_response, merge_agent_messages,
    merge_agent_responses, merge_chat_completion_chunks,
};
use agent_schemas::openai::chat::ChatCompletionChunk;
use agent_schemas::{Event, IdSource, Json};

use crate::support::{golden_lines, member, name, replay, text};

/// The time of the merges.
const NOW: i64 = 7;

/// Ids that no case has, so that a generated id is noticed.
#[derive(Debug)]
struct Fresh;

impl IdSource for Fresh {
    fn uuid(&self) -> String {
        "fresh".into()
    }

    fn random(&self) -> String {
        "fresh".into()
    }
}

/// Upstream's result, with our ids and time instead of the placeholders.
fn their_output(case: &Json) -> String {
    match case.get("error") {
        Some(error) => format!("error {}", member(error, "message").as_str().unwrap()),
        None => member(case, "output")
            .to_string()
            .replace("<msg_id:1>", "msg_fresh")
            .replace("<response_id>", "response_fresh")
            .replace("\"<ts>\"", &NOW.to_string()),
    }
}

fn chunk(json: &Json) -> Option<ChatCompletionChunk> {
    serde_json::from_str(&json.to_string()).ok()
}

/// An event of a recording, in which every response has the time 1, although it is not written.
fn event(json: &Json) -> Event {
    let mut event = Event::from_slice(json.to_string().as_bytes()).unwrap();
    if let Event::Response(response) = &mut event {
        response.created_at = 1;
    }
    event
}

fn events(json: &Json) -> Vec<Event> {
    json.as_array().unwrap().iter().map(event).collect()
}

fn case_name(case: &Json) -> (String, String) {
    let function = member(case, "fn").as_str().unwrap().to_owned();
    let name = format!("{function}/{}", name(case));
    (function, name)
}

#[test]
fn merge_chunks__recorded_cases__match_golden() {
    let file = "fn_merge_chunks.jsonl";
    replay(file, &golden_lines(file), |case| {
        let (function, name) = case_name(case);
        let input = member(case, "input");
        let ours = match function.as_str() {
            "merge_incremental_chunk" => {
                // A value that is not a chunk cannot be passed; upstream returns null for it.
                let chunks: Option<Vec<_>> = input.as_array().unwrap().iter().map(chunk).collect();
                text(&chunks.and_then(|chunks| merge_chat_completion_chunks(&chunks)))
            }
            _ => text(&chunk(input).as_ref().and_then(finish_reason_of_chunk)),
        };
        (name, ours, their_output(case))
    });
}

#[test]
fn merge_messages__recorded_cases__match_golden() {
    let file = "fn_merge_agent.jsonl";
    replay(file, &golden_lines(file), |case| {
        let (function, name) = case_name(case);
        let input = member(case, "input");
        let ours = match function.as_str() {
            "merge_agent_response" => match merge_agent_responses(&events(input), &Fresh, NOW) {
                Ok(response) => text(&response),
                Err(error) => format!("error {error}"),
            },
            "merge_agent_message" => match merge_agent_messages(&events(input), &Fresh) {
                Ok(message) => text(&message),
                Err(error) => format!("error {error}"),
            },
            // The functions accept only their own type; upstream returns null for anything else.
            "get_agent_response_finish_reason" => match event(input) {
                Event::Response(response) => text(&finish_reason_of_response(&response)),
                _ => "null".to_owned(),
            },
            "get_agent_message_finish_reason" if input.is_null() => "null".to_owned(),
            "get_agent_message_finish_reason" => match event(input) {
                Event::Message(message) => text(&finish_reason_of_message(&message)),
                _ => "null".to_owned(),
            },
            other => panic!("{other}"),
        };
        (name, ours, their_output(case))
    });
}
