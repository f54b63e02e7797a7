//! The schemas of request members that are read by hand, for clients that write requests.

use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

/// Replaces the forms that can be read by the forms that are supported.
pub(super) fn with_members(mut schema: Schema, _: &mut SchemaGenerator) -> Schema {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return schema };
    for (name, form) in members() {
        let described = properties.get_mut(name).and_then(Value::as_object_mut);
        if let (Some(described), Value::Object(form)) = (described, form) {
            described.retain(|key, _| key == "description");
            described.extend(form);
        }
    }
    schema
}

fn members() -> [(&'static str, Value); 8] {
    [
        ("messages", json!({ "type": "array", "minItems": 1, "items": message() })),
        ("n", json!({ "enum": [1, null] })),
        ("logprobs", json!({ "enum": [false, null] })),
        ("modalities", or_null(json!({ "type": "array", "items": { "const": "text" } }))),
        ("tools", or_null(json!({ "type": "array", "items": tool() }))),
        ("tool_choice", json!({ "anyOf": [{ "enum": ["none", "auto", "required", null] }, named_tool()] })),
        ("response_format", or_null(json!({ "anyOf": [plain_format(), schema_format()] }))),
        (
            "metadata",
            or_null(json!({
                "type": "object",
                "maxProperties": 16,
                "propertyNames": { "maxLength": 64 },
                "additionalProperties": { "type": "string", "maxLength": 512 }
            })),
        ),
    ]
}

fn or_null(form: Value) -> Value {
    json!({ "anyOf": [form, { "type": "null" }] })
}

/// An object with these members, all required. Other members are allowed.
fn object(members: &Value) -> Value {
    let required: Vec<&String> = members.as_object().into_iter().flat_map(|members| members.keys()).collect();
    json!({ "type": "object", "properties": members, "required": required })
}

fn message() -> Value {
    let call = object(&json!({
        "id": { "type": "string" },
        "function": object(&json!({ "name": { "type": "string" }, "arguments": { "type": "string" } })),
    }));
    let calls = json!({ "type": "array", "minItems": 1, "items": call });
    let of = |roles: &[&str], more: Value| {
        let mut members = json!({ "role": { "enum": roles } });
        if let (Some(members), Value::Object(more)) = (members.as_object_mut(), more) {
            members.extend(more);
        }
        object(&members)
    };
    json!({ "anyOf": [
        of(&["developer", "system", "user", "assistant"], json!({ "content": content() })),
        of(&["assistant"], json!({ "tool_calls": calls })),
        of(&["assistant"], json!({ "refusal": { "type": "string" } })),
        of(&["tool"], json!({ "content": content(), "tool_call_id": { "type": "string" } })),
    ]})
}

fn content() -> Value {
    let part = |kind: &str, members: Value| object(&json!({ "type": { "const": kind }, kind: members }));
    let text = json!({ "type": "string" });
    let url = json!({ "anyOf": [object(&json!({ "url": text })), text] });
    let given = json!({ "type": ["string", "null"] });
    let audio = json!({
        "type": "object",
        "properties": { "data": text, "format": given },
        "required": ["data"]
    });
    let file = json!({
        "type": "object",
        "properties": { "filename": given, "file_data": given, "file_id": given }
    });
    json!({ "anyOf": [text, { "type": "array", "items": { "anyOf": [
        part("text", text.clone()),
        part("image_url", url),
        part("input_audio", audio),
        part("file", file),
        part("refusal", text.clone()),
    ]}}]})
}

fn tool() -> Value {
    let function = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "minLength": 1 },
            "description": { "type": ["string", "null"] },
            "parameters": { "type": ["object", "null"], "additionalProperties": true },
            "strict": { "type": ["boolean", "null"] }
        },
        "required": ["name"]
    });
    object(&json!({ "type": { "const": "function" }, "function": function }))
}

fn named_tool() -> Value {
    object(&json!({
        "type": { "const": "function" },
        "function": object(&json!({ "name": { "type": "string" } })),
    }))
}

fn plain_format() -> Value {
    json!({
        "type": "object",
        "properties": { "type": { "enum": ["text", "json_object"] }, "json_schema": { "type": "null" } },
        "required": ["type"]
    })
}

fn schema_format() -> Value {
    let described = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "description": { "type": ["string", "null"] },
            "schema": { "type": ["object", "null"], "additionalProperties": true },
            "strict": { "type": ["boolean", "null"] }
        },
        "required": ["name"]
    });
    object(&json!({ "type": { "const": "json_schema" }, "json_schema": described }))
}
