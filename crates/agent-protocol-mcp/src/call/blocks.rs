//! The contents of an agent's answer as content blocks of MCP (server/tools, "Tool Result").

use agent_schemas::{Content, ContentBody, Json, JsonObject, object};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::media_type;
use crate::template::encoded;

/// The block that a content becomes; `None` if it is empty.
pub(crate) fn block(content: &Content) -> Option<JsonObject> {
    match &content.body {
        ContentBody::Text { text } => text.as_deref().filter(|text| !text.is_empty()).map(text_block),
        ContentBody::Refusal { refusal } => refusal.as_deref().map(text_block),
        ContentBody::Data { data } => Some(text_block(&Json::from(data.clone()?).to_string())),
        ContentBody::Image { image_url } => Some(medium("image", image_url.as_deref()?)),
        ContentBody::Video { video_url } => Some(medium("video", video_url.as_deref()?)),
        ContentBody::Audio { data, format } => {
            let (data, format) = (data.as_deref()?, format.as_deref().unwrap_or("wav"));
            if is_url(data) {
                return Some(medium("audio", data));
            }
            let media_type = if format.contains('/') { format.to_owned() } else { format!("audio/{format}") };
            Some(object! { "type" => "audio", "data" => data, "mimeType" => media_type })
        }
        ContentBody::File { file_url, file_id, filename, file_data } => {
            let name = filename.as_deref().or(file_id.as_deref()).unwrap_or("file");
            match (file_data, file_url) {
                (Some(data), url) => {
                    let uri = url.clone().unwrap_or_else(|| format!("file:///{}", encoded(name)));
                    Some(embedded(&uri, name, data))
                }
                (None, Some(url)) => Some(link(url, name)),
                (None, None) => None,
            }
        }
        // A kind of content that is newer than this crate.
        _ => None,
    }
}

pub(crate) fn text_block(text: &str) -> JsonObject {
    object! { "type" => "text", "text" => text }
}

fn is_url(text: &str) -> bool {
    text.starts_with("data:") || text.contains("://")
}

/// A picture, a sound or a video: its bytes, or a link to it.
fn medium(kind: &str, url: &str) -> JsonObject {
    let Some((media_type, data)) = data_url(url) else { return link(url, kind) };
    match kind {
        "image" | "audio" => object! { "type" => kind, "data" => data, "mimeType" => media_type },
        _ => {
            let resource =
                object! { "uri" => format!("file:///{kind}"), "mimeType" => media_type, "blob" => data };
            object! { "type" => "resource", "resource" => resource }
        }
    }
}

fn link(uri: &str, name: &str) -> JsonObject {
    object! { "type" => "resource_link", "uri" => uri, "name" => name }
}

/// A file: as text, if it is one.
fn embedded(uri: &str, name: &str, data: &str) -> JsonObject {
    let (media_type, data) = match data_url(data) {
        Some((media_type, data)) => (Some(media_type), data),
        None => (media_type::of_file(name.as_ref()), data),
    };
    let bytes = STANDARD.decode(data).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.filter(|_| media_type.is_none_or(media_type::is_text));
    let fallback = if text.is_some() { "text/plain" } else { "application/octet-stream" };
    let mut resource = object! { "uri" => uri, "mimeType" => media_type.unwrap_or(fallback) };
    match text {
        Some(text) => resource.insert("text".to_owned(), text.into()),
        None => resource.insert("blob".to_owned(), data.into()),
    };
    object! { "type" => "resource", "resource" => resource }
}

/// The MIME type and the Base64 data of a `data:` URL.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (media_type, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some((if media_type.is_empty() { "application/octet-stream" } else { media_type }, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block__each_content__has_its_form() {
        let check = |body: ContentBody, expected: &str| {
            let mut content = Content::text("");
            content.body = body;
            let block = block(&content).map(|block| Json::from(block).to_string());
            assert_eq!(block.as_deref(), Some(expected));
        };
        let text = |text: &str| Some(text.to_owned());
        check(ContentBody::Text { text: text("a") }, r#"{"type":"text","text":"a"}"#);
        check(
            ContentBody::Data { data: Some(object! { "a" => 1 }) },
            r#"{"type":"text","text":"{\"a\":1}"}"#,
        );
        check(
            ContentBody::Image { image_url: text("data:image/png;base64,AA==") },
            r#"{"type":"image","data":"AA==","mimeType":"image/png"}"#,
        );
        check(
            ContentBody::Image { image_url: text("https://x.test/a.png") },
            r#"{"type":"resource_link","uri":"https://x.test/a.png","name":"image"}"#,
        );
        check(
            ContentBody::Audio { data: text("AA=="), format: text("wav") },
            r#"{"type":"audio","data":"AA==","mimeType":"audio/wav"}"#,
        );
        let file = |data: &str, name: &str, url: Option<&str>| ContentBody::File {
            file_url: url.map(str::to_owned),
            file_id: None,
            filename: text(name),
            file_data: text(data),
        };
        check(
            file("data:text/plain;base64,aGk=", "a", Some("test://a")),
            r#"{"type":"resource","resource":{"uri":"test://a","mimeType":"text/plain","text":"hi"}}"#,
        );
        check(
            file("AP8=", "a b.png", None),
            r#"{"type":"resource","resource":{"uri":"file:///a%20b.png","mimeType":"image/png","blob":"AP8="}}"#,
        );
    }
}
