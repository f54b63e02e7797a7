//! Checks the recorded events, requests and responses, and ours, against the exported schemas.

use agent_schemas::{Json, JsonObject, export};
use jsonschema::Validator;
use serde_json::Value;

use super::answer::{items, members, parse};
use super::{cases, folder, protocol_cases};

/// Contents that upstream sends although its published types do not include them.
const NO_TYPE: &str = "unheard_of";

fn value(json: &Json) -> Value {
    serde_json::to_value(json).expect("JSON")
}

fn validator(name: &str) -> Validator {
    let document = export::document(name).expect("a type");
    jsonschema::draft202012::new(&value(&document)).expect("a schema")
}

/// Replaces the recordings' placeholders for times with numbers.
fn with_times(json: &mut Json) {
    match json {
        Json::String(text) if text == "<ts>" => *json = Json::from(1),
        Json::Array(items) => items.iter_mut().for_each(with_times),
        Json::Object(members) => members.values_mut().for_each(with_times),
        _ => {}
    }
}

/// All variants of `json` with one change that makes them invalid.
fn damaged(json: &Json, required: &[String]) -> Vec<(String, Json)> {
    let fields = json.as_object().cloned().unwrap_or_default();
    let with = |name: &str, value: Option<Json>| {
        let mut fields: JsonObject = fields.clone();
        match value {
            Some(value) => fields.insert(name.to_owned(), value),
            None => fields.shift_remove(name),
        };
        Json::from(fields)
    };
    // No declared field accepts a list with such a number.
    let wrong = || Some(parse("[1.5]"));
    let mut damaged: Vec<_> =
        fields.keys().map(|name| (format!("{name} of a wrong type"), with(name, wrong()))).collect();
    damaged.extend(required.iter().map(|name| (format!("no {name}"), with(name, None))));
    damaged.extend(with_unknown_content(json).map(|json| ("an unknown type of content".to_owned(), json)));
    damaged
}

/// The value with its first content, or itself, changed to an unknown type.
fn with_unknown_content(json: &Json) -> Option<Json> {
    let mut json = json.clone();
    rename_content(&mut json).then_some(json)
}

fn rename_content(json: &mut Json) -> bool {
    if json.get("object").and_then(Json::as_str) == Some("content") {
        if let Some(members) = members(json) {
            members.insert("type".to_owned(), Json::from(NO_TYPE));
        }
        return true;
    }
    let Some(members) = members(json) else { return false };
    ["input", "output", "content"]
        .iter()
        .any(|key| items(members.get_mut(*key)).iter_mut().any(rename_content))
}

fn required(name: &str) -> Vec<String> {
    let document = export::document(name).expect("a type");
    let required = document.get("required").and_then(Json::as_array).unwrap_or_default();
    required.iter().filter_map(|key| key.as_str().map(str::to_owned)).collect()
}

/// Checks that a value matches the type, and that its invalid variants do not.
fn check(name: &str, validator: &Validator, declared: &[String], json: &Json, complaints: &mut Vec<String>) {
    if let Err(fault) = validator.validate(&value(json)) {
        complaints.push(format!("no {name}: {fault}\n  {json}"));
    }
    for (how, damaged) in damaged(json, declared) {
        if validator.is_valid(&value(&damaged)) {
            complaints.push(format!("still one of {name} with {how}\n  {damaged}"));
        }
    }
}

#[tokio::test]
async fn events__recorded__match_their_schema() {
    let mut complaints = Vec::new();
    let mut seen = 0;
    let event = validator("Event");
    // The last field of a content belongs to its body, here not to a text.
    let of_content = required("TextContent").into_iter().filter(|field| field != "text").collect();
    let declared = [required("AgentResponse"), required("Message"), of_content];
    for case in cases().await {
        for mut answer in [Some(case.upstream), case.ours.ok()].into_iter().flatten() {
            for json in answer.events_mut() {
                let object = json.get("object").and_then(Json::as_str);
                let kind = ["response", "message", "content"].iter().position(|kind| object == Some(kind));
                // Without a kind, it is an answer or a line that is not an event of a run.
                let Some(kind) = kind else { continue };
                with_times(json);
                check("Event", &event, &declared[kind], json, &mut complaints);
                seen += 1;
            }
        }
    }
    assert!(seen > 1000, "{seen}");
    complaints.truncate(20);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn requests__recorded__match_their_schema() {
    let mut complaints = Vec::new();
    let request = validator("AgentRequest");
    let mut requests = Vec::new();
    for place in ["protocol", "protocol/v115"] {
        for path in protocol_cases::files(&folder().join(place), "json") {
            let json = parse(&std::fs::read_to_string(&path).expect("readable"));
            requests.extend(json.get("request").cloned());
            requests.extend(json.get("handler_saw").and_then(|saw| saw.get("request_dump")).cloned());
        }
    }
    assert!(requests.len() > 50, "{}", requests.len());
    for json in &mut requests {
        with_times(json);
        let known = agent_schemas::AgentRequest::from_json(json.clone()).expect("a request");
        let mut declared = json.clone();
        members(&mut declared).expect("an object").retain(|key, _| !known.extra.contains_key(key));
        check("AgentRequest", &request, &required("AgentRequest"), &declared, &mut complaints);
        assert!(request.is_valid(&value(json)), "with its unknown fields: {json}");
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
