//! Conversions from and to OpenAI's messages, replayed from upstream's recordings.

use agent_schemas::openai::{
    content_from_chat_completion_chunk, to_openai_messages, to_openai_tool_call, to_openai_tools,
};
use agent_schemas::{FunctionCall, Json, Message, RequestTool};
use serde::de::DeserializeOwned;

use crate::support::{SameId, golden_lines, member, name, replay, text, with_our_ids};

fn read<T: DeserializeOwned>(json: &Json) -> T {
    serde_json::from_str(&json.to_string()).unwrap()
}

fn their_output(case: &Json) -> String {
    let output = case.get("output").map_or("error".to_owned(), Json::to_string);
    with_our_ids(&output)
}

#[test]
fn from_openai_chunk__recorded_cases__match_golden() {
    let file = "fn_from_chat_completion_chunk.jsonl";
    replay(file, &golden_lines(file), |case| {
        let input = member(case, "input");
        let index = member(input, "index").as_i64();
        let ours = content_from_chat_completion_chunk(member(input, "chunk"), index);
        (name(case), text(&ours), their_output(case))
    });
}

#[test]
fn from_openai_message__recorded_cases__match_golden() {
    let file = "fn_from_openai_message.jsonl";
    replay(file, &golden_lines(file), |case| {
        let ours = match Message::from_openai_message(member(case, "input"), &SameId) {
            Ok(messages) => messages.iter().map(text).collect::<Vec<_>>().join(" and "),
            Err(_) => "error".to_owned(),
        };
        (name(case), ours, their_output(case))
    });
}

#[test]
fn to_openai__recorded_cases__match_golden() {
    let file = "fn_convert_to_openai_messages.jsonl";
    replay(file, &golden_lines(file), |case| {
        let function = member(case, "fn").as_str().unwrap();
        let input = member(case, "input");
        let ours = match function {
            "convert_to_openai_messages" => text(&to_openai_messages(&read::<Vec<Message>>(input))),
            "convert_to_openai_tools" => {
                let tools: Option<Vec<RequestTool>> = read(input);
                text(&to_openai_tools(&tools.unwrap_or_default()))
            }
            "convert_to_openai_tool_call" => text(&to_openai_tool_call(&read::<FunctionCall>(input))),
            "roundtrip_openai" => {
                let read = |message| Message::from_openai_message(message, &SameId).unwrap();
                let messages: Vec<_> = input.as_array().unwrap().iter().flat_map(read).collect();
                text(&to_openai_messages(&messages))
            }
            other => panic!("{other}"),
        };
        (format!("{function}/{}", name(case)), ours, their_output(case))
    });
}
