//! Log messages about what an agent does (server/utilities/logging).

use agent_schemas::{Content, Json, JsonObject, Message, MessageType, object};

use crate::log_level::LogLevel;

/// How much of a text a log message has, in characters.
const MAX_TEXT: usize = 2000;

/// The log message about a message that is complete; `None` if it belongs to the answer.
pub(crate) fn of_message(message: &Message) -> Option<(LogLevel, JsonObject)> {
    let data = message.contents().iter().find_map(Content::as_data);
    let text = |key: &str| data.and_then(|data| data.get(key)?.as_str()).map(short).unwrap_or_default();
    Some(match &message.kind {
        MessageType::FunctionCall | MessageType::PluginCall | MessageType::McpCall => {
            (LogLevel::Info, object! { "call" => text("name"), "arguments" => text("arguments") })
        }
        MessageType::FunctionCallOutput | MessageType::PluginCallOutput | MessageType::McpCallOutput => {
            let failed = message.error.as_ref().map(|error| error.message.as_str());
            match failed {
                Some(error) => {
                    (LogLevel::Warning, object! { "failed" => text("name"), "error" => short(error) })
                }
                None => {
                    (LogLevel::Debug, object! { "output_of" => text("name"), "output" => text("output") })
                }
            }
        }
        MessageType::Reasoning => (LogLevel::Debug, object! { "reasoning" => short(&message.full_text()) }),
        MessageType::Error => {
            let error = message.message.as_deref().unwrap_or_default();
            (LogLevel::Error, object! { "error" => short(error), "code" => message.code.clone() })
        }
        _ => return None,
    })
}

/// A message in a few words, as the text of a progress notification.
pub(crate) fn summary(message: &Message) -> Option<String> {
    let name = || {
        let data = message.contents().iter().find_map(Content::as_data)?;
        data.get("name").and_then(Json::as_str).map(str::to_owned)
    };
    Some(match &message.kind {
        MessageType::FunctionCall | MessageType::PluginCall | MessageType::McpCall => {
            format!("Calling {}", name()?)
        }
        MessageType::FunctionCallOutput | MessageType::PluginCallOutput | MessageType::McpCallOutput => {
            format!("{} has returned", name()?)
        }
        MessageType::Reasoning => "Thinking".to_owned(),
        _ => return None,
    })
}

pub(crate) fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
