//! The required members of objects.

use serde_json::Value;

/// The required type of a member.
#[derive(Clone, Copy, Debug)]
pub(super) enum Is {
    Text,
    Number,
    Flag,
    List,
    Object,
    Anything,
    OrNull(&'static Is),
}

impl Is {
    fn fits(self, value: &Value) -> bool {
        match self {
            Is::Text => value.is_string(),
            Is::Number => value.is_number(),
            Is::Flag => value.is_boolean(),
            Is::List => value.is_array(),
            Is::Object => value.is_object(),
            Is::Anything => true,
            Is::OrNull(is) => value.is_null() || is.fits(value),
        }
    }
}

pub(super) type Members = &'static [(&'static str, Is)];

/// Checks that an object has these members.
pub(super) fn check(object: &Value, members: Members) -> Result<(), String> {
    for (name, is) in members {
        let value = object.get(*name).ok_or_else(|| format!("'{name}' is missing"))?;
        if !is.fits(value) {
            return Err(format!("'{name}' is no {is:?}"));
        }
    }
    Ok(())
}

const RESPONSE: Members = &[
    ("id", Is::Text),
    ("object", Is::Text),
    ("created_at", Is::Number),
    ("completed_at", Is::OrNull(&Is::Number)),
    ("status", Is::Text),
    ("background", Is::Flag),
    ("error", Is::OrNull(&Is::Object)),
    ("incomplete_details", Is::OrNull(&Is::Object)),
    ("instructions", Is::OrNull(&Is::Text)),
    ("max_output_tokens", Is::OrNull(&Is::Number)),
    ("max_tool_calls", Is::OrNull(&Is::Number)),
    ("metadata", Is::Object),
    ("model", Is::Text),
    ("output", Is::List),
    ("parallel_tool_calls", Is::Flag),
    ("previous_response_id", Is::OrNull(&Is::Text)),
    ("prompt_cache_key", Is::OrNull(&Is::Text)),
    ("reasoning", Is::OrNull(&Is::Object)),
    ("safety_identifier", Is::OrNull(&Is::Text)),
    ("service_tier", Is::Text),
    ("store", Is::Flag),
    ("temperature", Is::Number),
    ("text", Is::Object),
    ("tool_choice", Is::Anything),
    ("tools", Is::List),
    ("top_logprobs", Is::Number),
    ("top_p", Is::Number),
    ("presence_penalty", Is::Number),
    ("frequency_penalty", Is::Number),
    ("truncation", Is::Text),
    ("usage", Is::OrNull(&Is::Object)),
];

const USAGE: Members = &[
    ("input_tokens", Is::Number),
    ("input_tokens_details", Is::Object),
    ("output_tokens", Is::Number),
    ("output_tokens_details", Is::Object),
    ("total_tokens", Is::Number),
];

const CODED: Members = &[("code", Is::Text), ("message", Is::Text)];

/// Checks a response by itself.
///
/// # Errors
/// The first rule that is broken.
pub fn check_response(response: &Value) -> Result<(), String> {
    check(response, RESPONSE)?;
    let id = response["id"].as_str().unwrap_or_default();
    if response["object"] != "response" || !id.starts_with("resp_") || id.len() <= "resp_".len() {
        return Err("it is no response with an id of one".to_owned());
    }
    if response["text"]["format"]["type"].as_str().is_none() {
        return Err("the text has no format".to_owned());
    }
    if response["usage"].is_object() {
        check(&response["usage"], USAGE)?;
        check(&response["usage"]["input_tokens_details"], &[("cached_tokens", Is::Number)])?;
        check(&response["usage"]["output_tokens_details"], &[("reasoning_tokens", Is::Number)])?;
    }
    let (status, error) = (response["status"].as_str().unwrap_or_default(), &response["error"]);
    let details = &response["incomplete_details"];
    let well = match status {
        "completed" => error.is_null() && details.is_null() && response["completed_at"].is_number(),
        "failed" => check(error, CODED).is_ok() && details.is_null() && response["completed_at"].is_null(),
        "incomplete" => error.is_null() && details["reason"].is_string(),
        "queued" | "in_progress" | "cancelled" => {
            error.is_null() && details.is_null() && response["completed_at"].is_null()
        }
        _ => false,
    };
    if !well {
        return Err(format!("its error, details or time do not belong to the status '{status}'"));
    }
    for item in response["output"].as_array().into_iter().flatten() {
        check_item(item)?;
    }
    Ok(())
}

/// Items by their type: their members, and the prefix of their ids.
const ITEMS: &[(&str, &str, Members)] = &[
    ("message", "msg_", &[("status", Is::Text), ("role", Is::Text), ("content", Is::List)]),
    ("reasoning", "rs_", &[("summary", Is::List)]),
    (
        "function_call",
        "fc_",
        &[("status", Is::Text), ("call_id", Is::Text), ("name", Is::Text), ("arguments", Is::Text)],
    ),
    (
        "function_call_output",
        "fco_",
        &[("status", Is::Text), ("call_id", Is::Text), ("output", Is::Anything)],
    ),
    (
        "custom_tool_call",
        "ctc_",
        &[("call_id", Is::Text), ("name", Is::Text), ("input", Is::Text), ("status", Is::Text)],
    ),
    (
        "custom_tool_call_output",
        "ctco_",
        &[("call_id", Is::Text), ("output", Is::Anything), ("status", Is::Text)],
    ),
    ("mcp_list_tools", "mcpl_", &[("server_label", Is::Text), ("tools", Is::List)]),
    (
        "mcp_call",
        "mcp_",
        &[
            ("status", Is::Text),
            ("server_label", Is::Text),
            ("name", Is::Text),
            ("arguments", Is::Text),
            ("output", Is::OrNull(&Is::Text)),
            ("error", Is::OrNull(&Is::Object)),
        ],
    ),
    ("mcp_approval_request", "", &[("server_label", Is::Text), ("name", Is::Text), ("arguments", Is::Text)]),
    ("mcp_approval_response", "", &[("approval_request_id", Is::Text), ("approve", Is::Flag)]),
    ("image_generation_call", "ig_", &[("status", Is::Text), ("result", Is::OrNull(&Is::Text))]),
];

pub(super) fn check_item(item: &Value) -> Result<(), String> {
    check(item, &[("id", Is::Text), ("type", Is::Text)])?;
    let kind = item["type"].as_str().unwrap_or_default();
    let known = ITEMS.iter().find(|(name, ..)| *name == kind);
    let (_, prefix, members) = known.ok_or_else(|| format!("there are no items of type '{kind}'"))?;
    check(item, members)?;
    let id = item["id"].as_str().unwrap_or_default();
    if id.is_empty() || !id.starts_with(prefix) {
        return Err(format!("an item of type '{kind}' has the id '{id}'"));
    }
    if kind == "message" && item["role"] != "assistant" {
        return Err("output is said by somebody else than the assistant".to_owned());
    }
    let parts = ["content", "summary"].map(|member| item[member].as_array());
    for part in parts.into_iter().flatten().flatten() {
        check_part(part)?;
    }
    Ok(())
}

pub(super) fn check_part(part: &Value) -> Result<(), String> {
    match part["type"].as_str() {
        Some("output_text") => check(part, &[("text", Is::Text), ("annotations", Is::List)]),
        Some("refusal") => check(part, &[("refusal", Is::Text)]),
        Some("reasoning_text" | "summary_text") => check(part, &[("text", Is::Text)]),
        _ => Err(format!("there are no such parts: {part}")),
    }
}
