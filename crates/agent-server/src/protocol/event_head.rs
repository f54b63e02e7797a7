//! Reads events without the parts that only repeat earlier ones.
//!
//! A closing message repeats its contents, and the final response repeats all messages. A reader that has read the log
//! up to there need not decode them again. The rest is decoded directly into its type, without a [`Json`] in between.

use agent_schemas::{AgentResponse, Content, ContentBody, ErrorBody, Event, Json, JsonObject, Message, Role};
use serde::Deserialize;

/// A message without its contents. Names with escapes are left to [`Event::from_slice`], here and below.
#[derive(Deserialize)]
struct MessageHead<'a> {
    sequence_number: Option<i64>,
    object: &'a str,
    status: &'a str,
    error: Option<ErrorBody>,
    #[serde(default)]
    id: String,
    r#type: &'a str,
    role: Option<&'a str>,
    code: Option<String>,
    message: Option<String>,
    usage: Option<Json>,
    metadata: Option<Json>,
}

/// A response without its output.
#[derive(Deserialize)]
struct ResponseHead<'a> {
    sequence_number: Option<i64>,
    object: &'a str,
    status: &'a str,
    error: Option<ErrorBody>,
    #[serde(default)]
    id: String,
    created_at: i64,
    completed_at: Option<i64>,
    usage: Option<Json>,
    session_id: Option<String>,
    warnings: Option<Vec<ErrorBody>>,
}

/// A content of text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextContent<'a> {
    sequence_number: Option<i64>,
    object: &'a str,
    status: &'a str,
    error: Option<ErrorBody>,
    r#type: TextType,
    index: Option<i64>,
    delta: bool,
    msg_id: Option<String>,
    text: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum TextType {
    Text,
    Refusal,
}

/// Reads a message without its contents, a response without its output, or a complete content of text or refusal.
/// `None` for everything else, and for anything that [`Event::from_slice`] has to examine.
pub(super) fn event_head(json: &[u8]) -> Option<Event> {
    // In the runner's events, `object` follows the first comma, so all other events are skipped quickly.
    let rest = json.get(memchr::memchr(b',', json)?..)?.strip_prefix(b",\"object\":\"")?;
    match rest.get(..memchr::memchr(b'"', rest)?)? {
        b"message" => message(serde_json::from_slice(json).ok()?).map(Event::Message),
        b"response" => response(serde_json::from_slice(json).ok()?).map(Event::Response),
        b"content" => content(serde_json::from_slice(json).ok()?).map(Event::Content),
        _ => None,
    }
}

fn message(head: MessageHead<'_>) -> Option<Message> {
    let mut message = Message::new(head.id, head.r#type.into());
    message.sequence_number = head.sequence_number;
    (message.status, message.error) = (head.status.into(), head.error);
    if let Some(role) = head.role {
        message.role = Some(Role::from_name(role)?);
    }
    (message.code, message.message) = (head.code, head.message);
    (message.usage, message.metadata) = (object(head.usage)?, object(head.metadata)?);
    (head.object == "message").then_some(message)
}

fn response(head: ResponseHead<'_>) -> Option<AgentResponse> {
    let mut response = AgentResponse::new(head.id, head.created_at);
    response.sequence_number = head.sequence_number;
    (response.status, response.error) = (head.status.into(), head.error);
    (response.completed_at, response.session_id) = (head.completed_at, head.session_id);
    response.usage = object(head.usage)?;
    response.warnings = head.warnings;
    (head.object == "response").then_some(response)
}

fn content(read: TextContent<'_>) -> Option<Content> {
    let body = match (read.r#type, read.text, read.refusal) {
        (TextType::Text, text, None) => ContentBody::Text { text },
        (TextType::Refusal, None, refusal) => ContentBody::Refusal { refusal },
        _ => return None,
    };
    let mut content = Content::new(body);
    content.sequence_number = read.sequence_number;
    (content.status, content.error) = (Some(read.status.into()), read.error);
    (content.index, content.delta, content.msg_id) = (read.index, Some(read.delta), read.msg_id);
    (read.object == "content").then_some(content)
}

/// An object or null; `None` for anything else.
fn object(json: Option<Json>) -> Option<Option<JsonObject>> {
    match json {
        None | Some(Json::Null) => Some(None),
        Some(Json::Object(members)) => Some(Some(members)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use agent_schemas::{MessageType, Status, object, sse};
    use proptest::prelude::*;

    use super::*;

    fn head(event: impl Into<Event>) -> Option<Event> {
        event_head(&serde_json::to_vec(&event.into()).unwrap())
    }

    #[test]
    fn head__message__has_all_but_contents() {
        let mut message = Message::new("msg_1", MessageType::Error);
        (message.role, message.status) = (Some(Role::Assistant), Status::Failed);
        message.error = Some(ErrorBody::new("c", "m"));
        (message.code, message.message) = (Some("c".to_owned()), Some("m".to_owned()));
        (message.usage, message.metadata) = (Some(object! { "a" => 1 }), Some(object! { "b" => "x" }));
        message.sequence_number = Some(7);
        let expected = Event::from(message.clone());
        message.content = Some(vec![Content::text("long"), Content::data(object! { "deep" => Vec::new() })]);
        assert_eq!(head(message), Some(expected));
    }

    #[test]
    fn head__response__has_all_but_output() {
        let mut response = AgentResponse::new("response_1", 7);
        (response.status, response.completed_at) = (Status::Completed, Some(8));
        (response.usage, response.session_id) = (Some(object! { "a" => 1 }), Some("s".to_owned()));
        response.warnings = Some(vec![ErrorBody::new("c", "m")]);
        let expected = Event::from(response.clone());
        response.output = Some(vec![Message::user("long")]);
        assert_eq!(head(response), Some(expected));
    }

    #[test]
    fn head__other_json__is_none() {
        assert_eq!(head(Content::data(object! { "a" => 1 })), None);
        for other in [
            "",
            "{}",
            r#"{"sequence_number":1,"object":"message","status":"completed","type":7}"#,
            r#"{"sequence_number":1,"object":"message","status":"completed","type":"message","role":"nobody"}"#,
            r#"{"sequence_number":{"a":1,"object":"message"},"object":"content","status":"x","type":"message"}"#,
            r#"{"a":{"b":1,"object":"message"},"object":"content","status":"x","type":"message"}"#,
            r#"{"sequence_number":1,"object":"response","status":"created"}"#,
            r#"{"sequence_number":1,"object":"other","status":"x"}"#,
        ] {
            assert_eq!(event_head(other.as_bytes()), None, "{other}");
        }
    }

    /// Checks that a content is read as [`Event::from_slice`] reads it, or not at all.
    fn check_content(json: &str, is_read: bool) {
        let read = event_head(json.as_bytes());
        assert_eq!(read.is_some(), is_read, "{json}");
        if let Some(event) = read {
            assert_eq!(event, Event::from_slice(json.as_bytes()).expect(json));
        }
    }

    #[test]
    fn head__text_content__is_complete() {
        let usual = r#"{"sequence_number":1,"object":"content","status":"completed","error":null,"type":"text","index":0,"delta":false,"msg_id":"m","text":"a"}"#;
        check_content(usual, true);
        for (part, other) in [
            (r#""sequence_number":1"#, r#""sequence_number":null"#),
            (r#""sequence_number":1"#, r#""sequence_number":-7"#),
            (r#""error":null"#, r#""error":{"code":"c","message":"m\n"}"#),
            (r#""status":"completed""#, r#""status":"in_progress""#),
            (r#""status":"completed""#, r#""status":"new""#),
            (r#""text":"a""#, r#""text":null"#),
            (r#""text":"a""#, r#""text":"\"\\\u00e9\ud83d\ude00\n\/""#),
            (r#""msg_id":"m""#, r#""msg_id":null"#),
            (r#","msg_id":"m""#, ""),
            (r#""index":0"#, r#""index":null"#),
            (r#","index":0"#, ""),
            (r#""type":"text""#, r#""refusal":null,"type":"text""#),
            (r#""type":"text""#, r#" "type" : "text" "#),
        ] {
            check_content(&usual.replace(part, other), true);
        }
        for (part, unusual) in [
            (r#""sequence_number":1"#, r#""sequence_number":"1""#),
            (r#""sequence_number":1"#, r#""sequence_number":1.0"#),
            (r#""status":"completed""#, r#""status":null"#),
            (r#""status":"completed""#, r#""status":"\u0061""#),
            (r#","delta":false"#, ""),
            (r#""delta":false"#, r#""delta":null"#),
            (r#""delta":false"#, r#""delta":"no""#),
            (r#""type":"text""#, r#""type":"refusal""#),
            (r#""type":"text""#, r#""type":"audio""#),
            (r#""type":"text""#, r#""refusal":"a","type":"text""#),
            (r#""text":"a""#, r#""text":"a","other":7"#),
            (r#""text":"a""#, r#""text":"a","text":"b""#),
            (r#""text":"a""#, r#""text":7"#),
            (r#""text":"a""#, r#""text":"\ud83d""#),
            (r#""text":"a""#, "\"text\":\"\n\""),
        ] {
            check_content(&usual.replace(part, unusual), false);
        }
    }

    proptest! {
        #[test]
        fn head__any_text__equals_decoding(text in ".*", is_refusal: bool, delta: bool, number: Option<i64>, index: Option<i64>) {
            let text = Some(text);
            let body = if is_refusal { ContentBody::Refusal { refusal: text } } else { ContentBody::Text { text } };
            let mut content = Content::new(body);
            (content.sequence_number, content.index, content.delta) = (number, index, Some(delta));
            (content.status, content.msg_id) = (Some(Status::Completed), Some("msg_1".to_owned()));
            let mut json = Vec::new();
            sse::write_json(&mut json, &content).unwrap();
            prop_assert_eq!(event_head(&json), Event::from_slice(&json).ok());
            prop_assert_eq!(event_head(&json), Some(content.into()));
        }
    }
}
