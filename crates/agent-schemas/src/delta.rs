//! How values grow: deltas onto contents, data objects into each other, usage into sums.

use crate::content::ContentBody;
use crate::json::{Json, JsonObject, Number};

/// Appends a delta's body to what is there; nothing happens if they are of different types.
///
/// Strings of text, image, audio, refusal, video and file data are joined; where one side is null the other counts.
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

/// Joins texts; where one side is null the other counts.
pub(crate) fn append(value: &mut Option<String>, more: &Option<String>) {
    match (value.as_mut(), more) {
        (Some(value), Some(more)) => value.push_str(more),
        (None, Some(more)) => *value = Some(more.clone()),
        (_, None) => {}
    }
}

/// Takes the new value, unless it is null.
pub(crate) fn replace<T: Clone>(value: &mut Option<T>, new: &Option<T>) {
    if new.is_some() {
        value.clone_from(new);
    }
}

/// Merges a data delta into a data object: strings and arrays are joined, numbers added, objects merged, new keys
/// added; anything else, and values of different types, are replaced.
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

/// Adds one message's usage to a sum: numbers are added, objects summed in turn; of anything else the last wins.
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

/// Integers stay integers while the sum fits; a sum that no number can hold keeps the later value.
fn add(left: &Number, right: &Number) -> Number {
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64())
        && let Some(sum) = left.checked_add(right)
    {
        return Number::from(sum);
    }
    let sum = left.as_f64().zip(right.as_f64()).map(|(left, right)| left + right);
    sum.and_then(Number::from_f64).unwrap_or_else(|| right.clone())
}
