//! Summarizes a response in a few readable lines.

use agent_schemas::{AgentResponse, ContentBody, JsonObject, Message};

/// One line per output message: its type and its text.
pub(crate) fn summary(response: &AgentResponse) -> Vec<String> {
    response.messages().iter().map(|message| format!("{}: {}", message.kind, contents(message))).collect()
}

fn contents(message: &Message) -> String {
    let contents = message.contents().iter().map(|content| match &content.body {
        ContentBody::Text { text } => text.clone().unwrap_or_default(),
        ContentBody::Refusal { refusal } => format!("refusal {}", refusal.clone().unwrap_or_default()),
        ContentBody::Data { data: Some(data) } => call_or_output(data),
        other => other.type_name().to_owned(),
    });
    contents.collect::<Vec<_>>().join(" | ")
}

fn call_or_output(data: &JsonObject) -> String {
    let part = |key: &str| data.get(key).and_then(|value| value.as_str()).unwrap_or_default();
    format!("{} {}{}", part("name"), part("arguments"), part("output"))
}
