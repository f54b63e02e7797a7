//! The members that a model server attached to messages and calls, as members of items.
//!
//! If a client sends its items back, these members return to the model server. What is attached to a call becomes
//! further members of its item, as in chat completions; what is attached to a message is in one member.

use agent_schemas::openai::{
    EXTRA_MEMBERS, MESSAGE_MEMBERS, MESSAGE_PART, REASONING_MEMBER, extra_members, keep_extra_members,
    reasoning_metadata,
};
use agent_schemas::{Json, JsonObject, Message, MessageType};

/// The member of a call that names the namespace of its tool.
const NAMESPACE: &str = "namespace";

/// Members of a call's data that its item has too.
const KEPT: [&str; 3] = [NAMESPACE, MESSAGE_MEMBERS, MESSAGE_PART];

/// Members of calls that OpenAI's API has, and that mean nothing to a model server.
const KNOWN_OF_CALL: [&str; 14] = [
    "type",
    "id",
    "call_id",
    "name",
    "arguments",
    "input",
    "status",
    "output",
    "error",
    "server_label",
    "approval_request_id",
    "caller",
    "created_by",
    "internal_chat_message_metadata_passthrough",
];

/// The attached members of an item for a call with this data.
pub(super) fn of_call(data: &JsonObject) -> JsonObject {
    let attached = extra_members(data).into_iter().flatten();
    let attached = attached.filter(|(key, _)| !KNOWN_OF_CALL.contains(&key.as_str()));
    let kept = KEPT.into_iter().filter_map(|key| data.get_key_value(key));
    attached.chain(kept).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The attached members of an item for a message or reasoning.
pub(super) fn of_message(message: &Message) -> JsonObject {
    let mut attached = JsonObject::new();
    let Some(metadata) = &message.metadata else { return attached };
    if message.kind == MessageType::Reasoning {
        attached.extend(
            metadata.get_key_value(REASONING_MEMBER).map(|(key, value)| (key.clone(), value.clone())),
        );
    } else if let Some(extra) = extra_members(metadata) {
        attached.insert(MESSAGE_MEMBERS.to_owned(), extra.clone().into());
    }
    attached
}

/// Adds what is attached to the item of a call to the call's data.
pub(super) fn add_to_call(data: &mut JsonObject, item: &JsonObject) {
    let mut extra = JsonObject::new();
    for (key, value) in item {
        match key.as_str() {
            _ if value.is_null() || KNOWN_OF_CALL.contains(&key.as_str()) => {}
            key if KEPT.contains(&key) => {
                data.insert(key.to_owned(), value.clone());
            }
            _ => {
                extra.insert(key.clone(), value.clone());
            }
        }
    }
    if !extra.is_empty() {
        data.insert(EXTRA_MEMBERS.to_owned(), extra.into());
    }
}

/// Adds what is attached to the item of a message or reasoning to the message.
pub(super) fn add_to_message(message: &mut Message, item: &JsonObject) {
    let metadata = match (&message.kind, item.get(MESSAGE_MEMBERS)) {
        (MessageType::Reasoning, _) => {
            item.get(REASONING_MEMBER).and_then(Json::as_str).and_then(reasoning_metadata)
        }
        (_, Some(Json::Object(extra))) => {
            let mut metadata = JsonObject::new();
            keep_extra_members(&mut metadata, extra.clone());
            Some(metadata)
        }
        _ => None,
    };
    if let Some(metadata) = metadata.filter(|metadata| !metadata.is_empty()) {
        message.metadata.get_or_insert_default().extend(metadata);
    }
}

#[cfg(test)]
mod tests {
    use agent_schemas::object;

    use super::*;

    #[test]
    fn attached_to_call__item__round_trips() {
        let signature =
            object! { "extra_content" => object! { "google" => object! { "thought_signature" => "S" } } };
        let details = object! { "reasoning_details" => vec![Json::from(1)] };
        let kept = object! {
            EXTRA_MEMBERS => signature, NAMESPACE => "n", MESSAGE_MEMBERS => details,
            MESSAGE_PART => object! { "id" => "call_1", "index" => 1 }
        };
        let mut item = of_call(&kept);
        assert!(item.contains_key("extra_content") && item.contains_key("namespace"));
        item.extend(object! { "type" => "function_call", "id" => "fc_1", "status" => "completed", "caller" => Json::Null });
        let mut data = JsonObject::new();
        add_to_call(&mut data, &item);
        assert_eq!(Json::from(data), Json::from(kept));
    }

    #[test]
    fn attached_to_message__item__round_trips() {
        for (kind, metadata) in [
            (MessageType::Message, object! { EXTRA_MEMBERS => object! { "extra_content" => 1 } }),
            (MessageType::Reasoning, object! { REASONING_MEMBER => "reasoning" }),
        ] {
            let mut message = Message::new("msg_1", kind);
            message.metadata = Some(metadata);
            let mut read = Message::new("msg_1", message.kind.clone());
            add_to_message(&mut read, &of_message(&message));
            assert_eq!(read, message);
        }
    }
}
