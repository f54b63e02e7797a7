//! Contents and errors as single lines.

use agent_schemas::{ContentBody, ErrorBody, Json, JsonObject, MessageType};

/// The maximum length of a tool's arguments or output in a line.
const SHOWN: usize = 400;

/// A line for a content that is not streamed as text.
///
/// `whole` shows long values in full.
pub(super) fn content(kind: &MessageType, body: &ContentBody, whole: bool) -> String {
    let limit = if whole { usize::MAX } else { SHOWN };
    match body {
        ContentBody::Data { data } => {
            let empty = JsonObject::new();
            data_line(kind, data.as_ref().unwrap_or(&empty), limit)
        }
        ContentBody::Image { image_url } => format!("[image] {}", place(image_url.as_deref(), limit)),
        ContentBody::Video { video_url } => format!("[video] {}", place(video_url.as_deref(), limit)),
        ContentBody::Audio { data, format } => audio(data.as_deref(), format.as_deref(), limit),
        ContentBody::File { file_url, file_id, filename, file_data } => {
            let where_ = match (file_url, file_id, file_data) {
                (Some(url), ..) => place(Some(url), limit),
                (None, Some(id), _) => shorten(id, limit),
                (None, None, data) => bytes_or_url(data.as_deref(), limit),
            };
            filename.as_ref().map_or_else(
                || format!("[file] {where_}"),
                |name| format!("[file] {} ({where_})", shorten(name, limit)),
            )
        }
        ContentBody::Text { text } => {
            format!("[{}] {}", kind.as_str(), shorten(text.as_deref().unwrap_or_default(), limit))
        }
        ContentBody::Refusal { refusal } => {
            format!("[refusal] {}", shorten(refusal.as_deref().unwrap_or_default(), limit))
        }
        other => format!("[{}]", other.type_name()),
    }
}

/// A warning of a run that otherwise succeeded.
pub(super) fn warning(warning: &ErrorBody) -> String {
    format!("warning {}: {}", one_line(&warning.code), one_line(&warning.message))
}

/// An error, in the form of the protocol.
pub(super) fn error(error: &ErrorBody) -> String {
    format!("error {}: {}", one_line(&error.code), one_line(&error.message))
}

/// A text without line breaks, truncated after about this many bytes.
pub(super) fn shorten(text: &str, limit: usize) -> String {
    let text = one_line(text);
    if text.len() <= limit {
        return text;
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}… ({} bytes)", &text[..end], text.len())
}

fn one_line(text: &str) -> String {
    text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn data_line(kind: &MessageType, data: &JsonObject, limit: usize) -> String {
    let text = |key: &str| match data.get(key) {
        Some(Json::String(text)) => shorten(text, limit),
        Some(Json::Null) | None => String::new(),
        Some(other) => shorten(&other.to_string(), limit),
    };
    match kind {
        MessageType::PluginCall | MessageType::ComponentCall | MessageType::McpCall => {
            format!("[tool] {} {}", text("name"), text("arguments"))
        }
        // Calls of the client's own tools, which this client does not have.
        MessageType::FunctionCall => {
            format!("[tool] {} {} (left to the client)", text("name"), text("arguments"))
        }
        MessageType::PluginCallOutput
        | MessageType::ComponentCallOutput
        | MessageType::McpCallOutput
        | MessageType::FunctionCallOutput => format!("[tool] → {}", text("output")),
        MessageType::McpListTools => {
            let tools = data.get("tools").and_then(Json::as_array).unwrap_or_default();
            format!("[tools] {}: {} tools", text("server_label"), tools.len())
        }
        MessageType::McpApprovalRequest => {
            format!(
                "[approval] may {} of {} be called with {}?",
                text("name"),
                text("server_label"),
                text("arguments")
            )
        }
        MessageType::Message => format!("[data] {}", shorten(&Json::from(data.clone()).to_string(), limit)),
        other => format!("[{other}] {}", shorten(&Json::from(data.clone()).to_string(), limit)),
    }
}

fn audio(data: Option<&str>, format: Option<&str>, limit: usize) -> String {
    let place = bytes_or_url(data, limit);
    match format {
        Some(format) => format!("[audio] {}, {place}", shorten(format, limit)),
        None => format!("[audio] {place}"),
    }
}

/// Base64 data or a URL.
fn bytes_or_url(data: Option<&str>, limit: usize) -> String {
    match data {
        Some(data) if !data.contains(':') => format!("{} bytes", base64_bytes(data)),
        other => place(other, limit),
    }
}

/// A URL; for one that contains its data, only a description.
fn place(url: Option<&str>, limit: usize) -> String {
    let Some(url) = url else { return "nowhere".to_owned() };
    match url.strip_prefix("data:").and_then(|rest| rest.split_once(',')) {
        Some((kind, data)) => {
            let is_base64 = kind.ends_with(";base64");
            let bytes = if is_base64 { base64_bytes(data) } else { data.len() };
            let kind = kind.split(';').next().filter(|kind| !kind.is_empty()).unwrap_or("text/plain");
            format!("{}, {bytes} bytes", shorten(kind, limit))
        }
        None => shorten(url, limit),
    }
}

/// The size of Base64 data in bytes.
fn base64_bytes(text: &str) -> usize {
    let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
    (text.len() - padding) * 3 / 4
}

#[cfg(test)]
mod tests {
    use agent_schemas::object;

    use super::*;

    #[track_caller]
    fn check(kind: &str, body: ContentBody, expected: &str) {
        assert_eq!(content(&MessageType::from(kind), &body, false), expected);
    }

    fn data(members: JsonObject) -> ContentBody {
        ContentBody::Data { data: Some(members) }
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn describe__tool_message__shows_name_and_arguments() {
        let call = || {
            data(
                object! { "call_id" => "1", "name" => "calculator", "arguments" => r#"{"expression":"6 * 7"}"# },
            )
        };
        check("plugin_call", call(), r#"[tool] calculator {"expression":"6 * 7"}"#);
        check("mcp_call", call(), r#"[tool] calculator {"expression":"6 * 7"}"#);
        check("function_call", call(), r#"[tool] calculator {"expression":"6 * 7"} (left to the client)"#);
        check("plugin_call_output", data(object! { "call_id" => "1", "output" => "4\n2" }), "[tool] → 4 2");
        let long = "é".repeat(300);
        let shown = format!("[tool] → {}… (600 bytes)", "é".repeat(200));
        check("plugin_call_output", data(object! { "output" => long.as_str() }), &shown);
        let whole =
            content(&MessageType::PluginCallOutput, &data(object! { "output" => long.as_str() }), true);
        assert_eq!(whole, format!("[tool] → {long}"));
    }

    #[test]
    fn describe__media_content__shows_placeholder() {
        check(
            "message",
            ContentBody::Image { image_url: some("data:image/png;base64,AAAA") },
            "[image] image/png, 3 bytes",
        );
        check(
            "message",
            ContentBody::Image { image_url: some("https://h/i.png") },
            "[image] https://h/i.png",
        );
        check("message", ContentBody::Image { image_url: None }, "[image] nowhere");
        check("message", ContentBody::Video { video_url: some("data:,ab") }, "[video] text/plain, 2 bytes");
        check(
            "message",
            ContentBody::Audio { data: some("AAA="), format: some("wav") },
            "[audio] wav, 2 bytes",
        );
        let file = |file_url, file_id, filename, file_data| ContentBody::File {
            file_url,
            file_id,
            filename,
            file_data,
        };
        check("message", file(some("https://h/a"), None, None, None), "[file] https://h/a");
        check("message", file(None, some("file-1"), some("a.txt"), None), "[file] a.txt (file-1)");
        check("message", file(None, None, some("a.txt"), some("AAAA")), "[file] a.txt (3 bytes)");
        check("message", data(object! { "a" => 1_i64 }), r#"[data] {"a":1}"#);
        check("a2ui_response", data(object! { "a" => 1_i64 }), r#"[a2ui_response] {"a":1}"#);
    }

    #[test]
    fn describe__error__fits_one_line() {
        let body = ErrorBody::new("MODEL_TIMEOUT", "it took\n too long");
        assert_eq!(error(&body), "error MODEL_TIMEOUT: it took too long");
    }
}
