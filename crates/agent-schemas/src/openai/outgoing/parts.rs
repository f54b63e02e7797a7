//! Contents as the texts and parts of chat completions.

use super::super::wrapped;
use crate::content::{Content, ContentBody};
use crate::json::{Json, JsonObject};

/// The content as text; `None` for media and nulls.
fn words(body: &ContentBody) -> Option<String> {
    match body {
        ContentBody::Text { text } => text.clone(),
        ContentBody::Refusal { refusal } => refusal.clone(),
        ContentBody::Data { data } => data.clone().map(|data| Json::from(data).to_string()),
        _ => None,
    }
}

/// All texts, joined; `None` if there are none.
pub(super) fn plain_text(contents: &[Content]) -> Option<String> {
    let words: Vec<_> = contents.iter().filter_map(|content| words(&content.body)).collect();
    if words.is_empty() { None } else { Some(words.join("\n")) }
}

/// A string if there is only text, otherwise parts; `None` if the message is empty.
pub(super) fn user_content(contents: &[Content]) -> Option<Json> {
    let has_media = contents.iter().any(|content| media_part(&content.body).is_some());
    if !has_media {
        return plain_text(contents).map(Json::from);
    }
    let part = |content: &Content| {
        let text = || words(&content.body).filter(|text| !text.is_empty()).map(text_part);
        media_part(&content.body).or_else(text).map(Json::from)
    };
    Some(contents.iter().filter_map(part).collect::<Vec<_>>().into())
}

pub(super) fn text_part(text: String) -> JsonObject {
    crate::object! { "type" => "text", "text" => text }
}

/// The part for an image, audio, video or file; `None` for text and for missing values.
pub(super) fn media_part(body: &ContentBody) -> Option<JsonObject> {
    let given = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
    Some(match body {
        ContentBody::Image { image_url } => {
            crate::object! { "type" => "image_url", "image_url" => wrapped("url", given(image_url)?) }
        }
        // OpenAI has no videos; servers that support them accept this part.
        ContentBody::Video { video_url } => {
            crate::object! { "type" => "video_url", "video_url" => wrapped("url", given(video_url)?) }
        }
        ContentBody::Audio { data, format } => audio_part(&given(data)?, given(format).as_deref()),
        ContentBody::File { file_url, file_id, filename, file_data } => {
            let data_url = given(file_url).filter(|url| url.starts_with("data:"));
            let mut file = JsonObject::new();
            if let Some(id) = given(file_id) {
                file.insert("file_id".to_owned(), id.into());
            } else if let Some(data) = given(file_data).or(data_url) {
                file.insert("filename".to_owned(), given(filename).unwrap_or("file".to_owned()).into());
                file.insert("file_data".to_owned(), data.into());
            } else {
                return given(file_url).map(text_part);
            }
            crate::object! { "type" => "file", "file" => file }
        }
        _ => return None,
    })
}

/// Bare Base64, and a format: servers know `wav` and `mp3`. A URL is passed on unchanged, as some servers fetch it.
fn audio_part(data: &str, format: Option<&str>) -> JsonObject {
    let (media_type, data) = match data.strip_prefix("data:").and_then(|rest| rest.split_once(',')) {
        Some((head, bytes)) => (head.split(';').next(), bytes),
        None => (None, data),
    };
    let extension = || {
        let path = data.starts_with("http").then(|| data.split(['?', '#']).next())??;
        path.rsplit_once('.').map(|(_, extension)| extension).filter(|text| text.len() <= 4)
    };
    let format = format.or(media_type.filter(|text| !text.is_empty())).or_else(extension).unwrap_or("wav");
    let format = match format.trim_start_matches("audio/") {
        "mpeg" | "mp3" => "mp3",
        "x-wav" | "wave" | "vnd.wave" | "wav" => "wav",
        other => other,
    };
    let audio = crate::object! { "data" => data, "format" => format };
    crate::object! { "type" => "input_audio", "input_audio" => audio }
}
