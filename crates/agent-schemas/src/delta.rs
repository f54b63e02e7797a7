//! How values grow: deltas append to contents, data objects merge, usage adds up.

use crate::content::ContentBody;
use crate::json::{Json, JsonObject, Number};

/// Appends a delta's body to the existing one. Does nothing if their types differ.
///
/// Strings of text, image, audio, refusal, video and file data are concatenated; null leaves the other side unchanged.
/// Data objects are merged by [`merge_data`]. Names and formats are replaced.
pub fn append_body(body: &mut ContentBody, delta: &ContentBody) {
    match (body, delta) {
        (ContentBody::Text { text }, ContentBody::Text { text: more }) => append(text, more),
        (ContentBody::Refusal { refusal }, ContentBody::Refusal { refusal: more }) => append(refusal, more),
        (ContentBody::Image { image_url }, ContentBody::Image { image_url: more }) => append(image_url, more),
        (ContentBody::Video { video_url }, ContentBody::Video { video_url: more }) => append(video_url, more),
        (ContentBody::Audio { data, format }, ContentBody::Audio { data: more, format: new_format }) => {
            append(data, more);
            replace(format, new_format);
        }
        (
            ContentBody::File { file_url, file_id, filename, file_data },
            ContentBody::File { file_url: new_url, file_id: new_id, filename: new_name, file_data: more },
        ) => {
            append(file_data, more);
            replace(file_url, new_url);
            replace(file_id, new_id);
            replace(filename, new_name);
        }
        (ContentBody::Data { data }, ContentBody::Data { data: Some(more) }) => match data {
            Some(data) => merge_data(data, more),
            None => *data = Some(more.clone()),
        },
        _ => {}
    }
}

/// Concatenates texts; null leaves the other side unchanged.
pub(crate) fn append(value: &mut Option<String>, more: &Option<String>) {
    match (value.as_mut(), more) {
        (Some(value), Some(more)) => value.push_str(more),
        (None, Some(more)) => *value = Some(more.clone()),
        (_, None) => {}
    }
}

/// Takes the new value unless it is null.
pub(crate) fn replace<T: Clone>(value: &mut Option<T>, new: &Option<T>) {
    if new.is_some() {
        value.clone_from(new);
    }
}

/// Merges a data delta into a data object: strings and arrays are concatenated, numbers added, objects merged and new
/// keys inserted. Any other value, or one whose type differs, is replaced.
pub fn merge_data(data: &mut JsonObject, delta: &JsonObject) {
    for (key, more) in delta {
        let Some(value) = data.get_mut(key) else {
            data.insert(key.clone(), more.clone());
            continue;
        };
        match (value, more) {
            (Json::String(value), Json::String(more)) => value.push_str(more),
            (Json::Array(value), Json::Array(more)) => value.extend_from_slice(more),
            (Json::Object(value), Json::Object(more)) => merge_data(value, more),
            (Json::Number(value), Json::Number(more)) => *value = add(value, more),
            (value, more) => *value = more.clone(),
        }
    }
}

/// Adds one message's usage to a total: numbers are added, objects recursively; any other value is replaced.
pub fn add_usage(sum: &mut JsonObject, usage: &JsonObject) {
    for (key, more) in usage {
        match (sum.get_mut(key), more) {
            (Some(Json::Number(value)), Json::Number(more)) => *value = add(value, more),
            (Some(Json::Object(value)), Json::Object(more)) => add_usage(value, more),
            _ => {
                sum.insert(key.clone(), more.clone());
            }
        }
    }
}

/// Integers stay integers while the sum fits. If no number can hold the sum, the later value wins.
fn add(left: &Number, right: &Number) -> Number {
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64())
        && let Some(sum) = left.checked_add(right)
    {
        return Number::from(sum);
    }
    let sum = left.as_f64().zip(right.as_f64()).map(|(left, right)| left + right);
    sum.and_then(Number::from_f64).unwrap_or_else(|| right.clone())
}
