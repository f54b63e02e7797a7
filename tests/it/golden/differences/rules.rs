//! The rules that remove the differences. Each one gets upstream's answer and ours.

use std::collections::BTreeSet;

use agent_schemas::delta::add_usage;
use agent_schemas::{Json, JsonObject};

use crate::golden::answer::{Answer, Body, items, members};

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json.get(key).and_then(Json::as_str).unwrap_or_default()
}

fn set(json: &mut Json, key: &str, value: impl Into<Json>) {
    if let Some(members) = members(json)
        && members.contains_key(key)
    {
        members.insert(key.to_owned(), value.into());
    }
}

fn remove(json: &mut Json, key: &str) {
    members(json).and_then(|members| members.shift_remove(key));
}

fn member<'a>(json: &'a mut Json, key: &str) -> Option<&'a mut Json> {
    members(json).and_then(|members| members.get_mut(key))
}

fn is_final_response(event: &Json) -> bool {
    text(event, "object") == "response" && !matches!(text(event, "status"), "created" | "in_progress")
}

/// D1: every final response has the time of the run's end.
pub(super) fn time_of_the_end(upstream: &mut Answer, ours: &mut Answer) {
    for answer in [upstream, ours] {
        let finals = answer.events_mut().iter_mut().filter(|event| is_final_response(event));
        finals.for_each(|event| set(event, "completed_at", Json::Null));
    }
}

/// D2: the contents inside a message are the events that closed them.
pub(super) fn contents_in_messages(upstream: &mut Answer, ours: &mut Answer) {
    fn strip(message: &mut Json) {
        for content in items(member(message, "content")) {
            for key in ["sequence_number", "status", "index", "delta", "msg_id"] {
                remove(content, key);
            }
        }
    }
    for answer in [upstream, ours] {
        for event in answer.events_mut() {
            strip(event);
            items(member(event, "output")).iter_mut().for_each(strip);
        }
    }
}

/// D4: messages that the agent never closed are closed at the end and part of the output.
pub(super) fn left_open(upstream: &mut Answer, ours: &mut Answer) {
    let output = |answer: &mut Answer| -> BTreeSet<String> {
        let messages = answer.events_mut().iter_mut().flat_map(|event| items(member(event, "output")));
        messages.map(|message| text(message, "id").to_owned()).collect()
    };
    let known = output(upstream);
    for event in ours.events_mut() {
        if let Some(Json::Array(messages)) = member(event, "output") {
            messages.retain(|message| known.contains(text(message, "id")));
        }
    }
}

/// D5: a message is closed once.
pub(super) fn second_completion(upstream: &mut Answer, _: &mut Answer) {
    let Body::Events(events) = &mut upstream.body else { return };
    let mut first: Vec<(String, Json)> = Vec::new();
    events.retain(|event| {
        let closes = text(event, "object") == "message" && text(event, "status") == "completed";
        let id = text(event, "id");
        let again = first.iter().any(|(known, _)| known == id);
        if closes && !again {
            let number = event.get("sequence_number").cloned().unwrap_or_default();
            first.push((id.to_owned(), number));
        }
        !(closes && again)
    });
    for event in events.iter_mut() {
        let Some(Json::Array(messages)) = member(event, "output") else { continue };
        let mut seen = BTreeSet::new();
        messages.retain(|message| seen.insert(text(message, "id").to_owned()));
        for message in messages {
            let number = first.iter().find(|(id, _)| id == text(message, "id")).map(|(_, n)| n.clone());
            set(message, "sequence_number", number.unwrap_or_default());
        }
    }
    renumber(events);
}

/// D6: responses that the agent itself emits are dropped.
pub(super) fn responses_of_the_agent(upstream: &mut Answer, _: &mut Answer) {
    let Body::Events(events) = &mut upstream.body else { return };
    let id = events.first().map(|event| text(event, "id").to_owned()).unwrap_or_default();
    events.retain(|event| text(event, "object") != "response" || text(event, "id") == id);
    renumber(events);
}

/// Renumbers events from 0, and updates their references to each other.
fn renumber(events: &mut [Json]) {
    let old: Vec<Option<i64>> = events.iter().map(|event| event.get("sequence_number")?.as_i64()).collect();
    fn walk(json: &mut Json, old: &[Option<i64>]) {
        match json {
            Json::Array(items) => items.iter_mut().for_each(|item| walk(item, old)),
            Json::Object(members) => {
                for (key, value) in members {
                    let at = old.iter().position(|old| old.is_some() && *old == value.as_i64());
                    match (key.as_str(), at) {
                        ("sequence_number", Some(at)) => *value = Json::from(at as i64),
                        _ => walk(value, old),
                    }
                }
            }
            _ => {}
        }
    }
    events.iter_mut().for_each(|event| walk(event, &old));
}

/// D7: contents without a message get one, and unknown states become known ones. The bodies stay the same.
pub(super) fn stray_contents(upstream: &mut Answer, ours: &mut Answer) {
    let is_stray = |event: &Json| {
        event.get("object") == Some(&Json::from("content")) && text(event, "msg_id").is_empty()
    };
    if !upstream.events_mut().iter().any(is_stray) {
        return;
    }
    for answer in [upstream, ours] {
        let Body::Events(events) = &mut answer.body else { continue };
        events.retain(|event| text(event, "object") == "content" && text(event, "status") != "completed");
        for content in events {
            for key in ["sequence_number", "status", "index", "delta", "msg_id"] {
                remove(content, key);
            }
        }
    }
}

/// D8: a response's usage is the sum over its output.
pub(super) fn sum_of_usage(upstream: &mut Answer, _: &mut Answer) {
    for event in upstream.events_mut().iter_mut().filter(|event| is_final_response(event)) {
        let mut sum: Option<JsonObject> = None;
        for message in items(member(event, "output")) {
            if let Some(Json::Object(usage)) = message.get("usage") {
                add_usage(sum.get_or_insert_default(), usage);
            }
        }
        set(event, "usage", sum);
    }
}

/// D9: the output of a completed run without messages is `[]`.
pub(super) fn empty_output(upstream: &mut Answer, _: &mut Answer) {
    for event in upstream.events_mut() {
        let completed = is_final_response(event) && text(event, "status") == "completed";
        if completed && event.get("output").is_some_and(Json::is_null) {
            set(event, "output", Vec::new());
        }
    }
}

/// D12: tools reach the agent unchanged.
pub(super) fn tools(upstream: &mut Answer, ours: &mut Answer) {
    for answer in [upstream, ours] {
        answer.events_mut().iter_mut().for_each(|event| remove(event, "tools"));
    }
}

/// D15: with `stream: false`, the answer is one object.
pub(super) fn one_object(upstream: &mut Answer, _: &mut Answer) {
    if let Body::Events(events) = &mut upstream.body {
        upstream.body = Body::Json(events.pop().unwrap_or_default());
        upstream.headers.remove("cache-control");
        upstream.headers.insert("content-type".to_owned(), "application/json".to_owned());
    }
}

/// D17: an invalid request is rejected before a stream begins. Kind and location of the error are the same.
pub(super) fn refused_before_the_stream(upstream: &mut Answer, ours: &mut Answer) {
    let Body::Events(events) = &upstream.body else { return };
    let Some(report) = events.first().and_then(|event| event.get("error")).and_then(Json::as_str) else {
        return;
    };
    let location = report.lines().nth(1).unwrap_or_default().to_owned();
    let kind = report.split_once("[type=").and_then(|(_, rest)| rest.split(',').next()).unwrap_or_default();
    let shown = format!("{kind} at {location}");
    *upstream = Answer { status: 422, headers: ours.headers.clone(), body: Body::Text(shown) };
    let Body::Json(body) = &ours.body else { return };
    let fault = body.get("detail").and_then(Json::as_array).and_then(<[Json]>::first).cloned();
    let fault = fault.unwrap_or_default();
    let place = fault.get("loc").and_then(Json::as_array).unwrap_or_default();
    let steps: Vec<String> = place.iter().skip(1).map(|step| step.to_string().replace('"', "")).collect();
    ours.body = Body::Text(format!("{} at {}", text(&fault, "type"), steps.join(".")));
}

/// D18: error bodies also have the code and the message.
pub(super) fn error_member(_: &mut Answer, ours: &mut Answer) {
    if let Body::Json(body) = &mut ours.body
        && body.get("detail").is_some()
    {
        remove(body, "error");
    }
}

/// D19: the wording is our own, and only the first error is reported.
pub(super) fn own_words(upstream: &mut Answer, ours: &mut Answer) {
    for answer in [upstream, ours] {
        let Body::Json(body) = &mut answer.body else { continue };
        match member(body, "detail") {
            Some(Json::Array(faults)) => {
                faults.truncate(1);
                for fault in faults {
                    set(fault, "msg", "…");
                    set(fault, "ctx", "…");
                }
            }
            Some(detail) => *detail = Json::from("…"),
            None => {}
        }
    }
}

/// D20: the mode is `standalone`.
pub(super) fn mode(upstream: &mut Answer, ours: &mut Answer) {
    for answer in [upstream, ours] {
        if let Body::Json(body) = &mut answer.body {
            remove(body, "mode");
        }
    }
}

/// D26: `allow` names all methods of the path.
pub(super) fn allowed_methods(upstream: &mut Answer, ours: &mut Answer) {
    let methods =
        |value: &str| value.split(',').map(|method| method.trim().to_owned()).collect::<BTreeSet<_>>();
    if let (Some(theirs), Some(all)) = (upstream.headers.get("allow"), ours.headers.get_mut("allow"))
        && methods(theirs).is_subset(&methods(all))
    {
        all.clone_from(theirs);
    }
}

/// D28: the answer to a preflight has no body, its lists have no spaces, and it names the path's methods.
pub(super) fn preflight(upstream: &mut Answer, ours: &mut Answer) {
    ours.headers.remove("allow");
    upstream.headers.remove("content-type");
    upstream.body = Body::Text(String::new());
    for value in upstream.headers.values_mut() {
        *value = value.replace(", ", ",");
    }
}

/// D29: an allowed origin is repeated, never `*`.
pub(super) fn origin(upstream: &mut Answer, _: &mut Answer) {
    if let Some(origin) = upstream.headers.get_mut("access-control-allow-origin") {
        *origin = origin.replace('*', "http://x.test");
    }
}

/// D30: a redirect names the path only.
pub(super) fn redirect(upstream: &mut Answer, _: &mut Answer) {
    if let Some(location) = upstream.headers.get_mut("location") {
        *location = location.replace("http://127.0.0.1:18100", "");
    }
}

/// D31: browsers may also read error answers.
pub(super) fn cors_of_errors(_: &mut Answer, ours: &mut Answer) {
    if ours.status == 500 {
        ours.headers.retain(|name, _| !name.starts_with("access-control-"));
    }
}

/// D57: the texts of unexpected errors are not shown.
pub(super) fn texts_of_unexpected_errors(peer: &mut Answer, ours: &mut Answer) {
    fn hide(json: &mut Json) {
        match json {
            Json::Array(items) => items.iter_mut().for_each(hide),
            Json::Object(_) => {
                if text(json, "code") == "AGENT_UNKNOWN_ERROR" {
                    set(json, "message", "…");
                }
                members(json).into_iter().flatten().for_each(|(_, value)| hide(value));
            }
            _ => {}
        }
    }
    for answer in [peer, ours] {
        answer.events_mut().iter_mut().for_each(hide);
        if let Body::Json(body) = &mut answer.body {
            hide(body);
        }
    }
}

/// D61: an error says when to try again, and its status if its code does not.
pub(super) fn status_and_wait_of_errors(_: &mut Answer, ours: &mut Answer) {
    fn strip(json: &mut Json) {
        match json {
            Json::Array(items) => items.iter_mut().for_each(strip),
            Json::Object(_) => {
                if let Some(error) = member(json, "error") {
                    remove(error, "retry_after");
                    remove(error, "status");
                }
                members(json).into_iter().flatten().for_each(|(_, value)| strip(value));
            }
            _ => {}
        }
    }
    ours.events_mut().iter_mut().for_each(strip);
    if let Body::Json(body) = &mut ours.body {
        strip(body);
    }
}

/// D64: what frameworks stream has one form.
pub(super) fn form_of_frameworks(upstream: &mut Answer, ours: &mut Answer) {
    fn without_empty_metadata(message: &mut Json) {
        if member(message, "metadata").is_some_and(|metadata| metadata.to_string() == "{}") {
            set(message, "metadata", Json::Null);
        }
    }
    let is_empty_call = |event: &Json| {
        let is_growing = (text(event, "object"), text(event, "status")) == ("content", "in_progress");
        is_growing && event.get("data").is_some_and(|data| text(data, "arguments") == "{}")
    };
    for answer in [upstream, ours] {
        if let Body::Events(events) = &mut answer.body {
            events.retain(|event| !is_empty_call(event));
            renumber(events);
        }
        for event in answer.events_mut() {
            without_empty_metadata(event);
            items(member(event, "output")).iter_mut().for_each(without_empty_metadata);
            match (text(event, "object"), text(event, "status")) {
                ("content", "completed") => {
                    ["index", "delta", "msg_id"].iter().for_each(|key| set(event, key, Json::Null));
                }
                ("content", "in_progress") => delta_of_arguments(event),
                _ => {}
            }
        }
    }
}

fn delta_of_arguments(content: &mut Json) {
    if let Some(data) = member(content, "data").filter(|data| !text(data, "arguments").is_empty()) {
        ["call_id", "name"].iter().for_each(|key| remove(data, key));
        set(content, "delta", true);
    }
}
