//! Which requests are accepted, and the location of the error in others, replayed from upstream's recordings.

use agent_schemas::{AgentRequest, Content, ContentBody, Json, JsonObject, Message, MessageType};

use crate::support::{golden_lines, member, name, replay};

/// The members of `value` that differ from those of `default`.
fn changed(value: &Json, default: &Json) -> JsonObject {
    let members = value.as_object().unwrap().iter();
    let changed = members.filter(|(key, value)| default.get(key) != Some(value));
    changed.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn json<T: serde::Serialize>(value: &T) -> Json {
    Json::from_serialize(value).unwrap()
}

fn message_changes(message: &Message) -> Json {
    let mut members = changed(&json(message), &json(&Message::new("", MessageType::Message)));
    // The runner assigns an id to every message without one; upstream has already done so.
    members.insert_before(0, "id".to_owned(), Json::from("<msg_id:1>"));
    if let Some(contents) = members.get_mut("content") {
        let change = |content: &Content| {
            let empty = ContentBody::empty(content.body.type_name()).unwrap();
            Json::from(changed(&json(content), &json(&Content::new(empty))))
        };
        *contents = message.contents().iter().map(change).collect::<Vec<_>>().into();
    }
    Json::from(members)
}

/// The values that upstream's handler saw, without defaults and without the ids that the runner fills in.
fn request_changes(request: &AgentRequest) -> Json {
    let mut members = JsonObject::new();
    members.insert("input".into(), request.input.iter().map(message_changes).collect::<Vec<_>>().into());
    let mut rest = request.clone();
    rest.input.clear();
    members.extend(changed(&json(&rest), &json(&AgentRequest::new(Vec::new()))));
    Json::from(members)
}

/// The location in upstream's first error, without the type that it inserts between a content and its member.
fn location(error: &str) -> String {
    let dotted = error.lines().nth(1).unwrap();
    let steps: Vec<_> = dotted.split('.').collect();
    let is_tag = |at: usize| at >= 2 && steps[at - 2] == "content" && ContentBody::TYPES.contains(&steps[at]);
    let kept: Vec<_> = (0..steps.len()).filter(|at| !is_tag(*at)).map(|at| steps[at]).collect();
    kept.join(".")
}

fn kind(error: &str) -> &str {
    error.split("[type=").nth(1).unwrap().split(',').next().unwrap()
}

fn check_file(file: &str) {
    replay(file, &golden_lines(file), |case| {
        let ours = match AgentRequest::from_json(member(case, "request").clone()) {
            Ok(request) => format!("accepted {}", request_changes(&request)),
            Err(fault) => {
                let shown = fault.to_string();
                format!("rejected {} {}", shown.split(": ").next().unwrap_or_default(), fault.kind)
            }
        };
        let theirs = match member(case, "error") {
            Json::Null => match case.get("seen_non_default") {
                Some(Json::Object(seen)) => {
                    let filled = |value: &Json| value.as_str() == Some("<session_id>");
                    let seen = seen.iter().filter(|(_, value)| !filled(value));
                    let seen: JsonObject = seen.map(|(key, value)| (key.clone(), value.clone())).collect();
                    format!("accepted {}", Json::from(seen))
                }
                // The recording only says that it was accepted.
                _ if ours.starts_with("accepted") => ours.clone(),
                _ => "accepted".to_owned(),
            },
            error => {
                let text = member(error, "message").as_str().unwrap();
                format!("rejected {} {}", location(text), kind(text))
            }
        };
        // Keys are compared without their order, because upstream's dump does not keep the order of the wire.
        (name(case), sorted(&ours), sorted(&theirs))
    });
}

fn sorted(outcome: &str) -> String {
    match outcome.strip_prefix("accepted ") {
        Some(json) => format!("accepted {}", serde_json::from_str::<serde_json::Value>(json).unwrap()),
        None => outcome.to_owned(),
    }
}

#[test]
fn request__upstream_1_0_2__matches_golden() {
    check_file("request_validation.jsonl");
}

#[test]
fn request__upstream_1_1_5__matches_golden() {
    check_file("v115/request_validation.jsonl");
}

#[test]
fn check__request_that_could_not_be_read_again__names_the_member() {
    let mut named = AgentRequest::new(Vec::new());
    named.extra.insert("id".to_owned(), Json::from(5_i64));
    let mut many = AgentRequest::new(Vec::new());
    many.n = Some(9);
    let mut infinite = AgentRequest::new(Vec::new());
    infinite.top_p = Some(f64::INFINITY);
    for (request, member) in [(&named, "id"), (&many, "n"), (&infinite, "top_p")] {
        let fault = request.check().expect_err(member).to_string();
        assert!(fault.starts_with(&format!("{member}: ")), "{fault}");
    }
    let text = serde_json::to_string(&named).unwrap();
    assert_eq!(text.matches("\"id\"").count(), 1, "a declared member is written once: {text}");
    let mut good = AgentRequest::new(Vec::new());
    good.foreign = Some(agent_schemas::object! { "id" => 5_i64, "input" => "x" });
    good.extra.insert("mine".to_owned(), Json::from(5_i64));
    assert_eq!(good.check(), Ok(()));
    assert_eq!(serde_json::from_str::<AgentRequest>(&serde_json::to_string(&good).unwrap()).unwrap(), good);
    assert_eq!(good.extra_member("id"), Some(&Json::from(5_i64)));
    assert_eq!(good.extra_member("mine"), Some(&Json::from(5_i64)));
}
