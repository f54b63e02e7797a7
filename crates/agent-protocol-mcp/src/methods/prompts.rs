//! `prompts/list` and `prompts/get`.

use std::collections::BTreeMap;

use agent_schemas::{Json, JsonObject, object};

use crate::client::Client;
use crate::config::{ArgumentConfig, MessageConfig, PromptConfig};
use crate::file::File;
use crate::input;
use crate::paging::page;
use crate::rpc::RpcError;
use crate::template::fill;

/// The key under which missing arguments are asked for.
const ARGUMENTS: &str = "arguments";

/// The prompts, by name.
type Prompts = BTreeMap<String, PromptConfig>;

pub(crate) fn list(prompts: &Prompts, params: &JsonObject) -> Result<JsonObject, RpcError> {
    page(params, "prompts", prompts.iter().map(|(name, prompt)| shown(name, prompt).into()).collect())
}

fn shown(name: &str, prompt: &PromptConfig) -> JsonObject {
    let arguments = prompt.arguments.iter().map(|argument| {
        let mut members = named(&argument.name, argument.title.as_ref(), argument.description.as_ref());
        members.insert("required".to_owned(), argument.required.into());
        Json::from(members)
    });
    let arguments: Vec<Json> = arguments.collect();
    let mut members = named(name, prompt.title.as_ref(), prompt.description.as_ref());
    members.insert(ARGUMENTS.to_owned(), arguments.into());
    members
}

/// The members that everything with a name has.
pub(crate) fn named(name: &str, title: Option<&String>, description: Option<&String>) -> JsonObject {
    let mut members = object! { "name" => name };
    if let Some(title) = title {
        members.insert("title".to_owned(), title.as_str().into());
    }
    if let Some(description) = description {
        members.insert("description".to_owned(), description.as_str().into());
    }
    members
}

/// The prompt of a name.
pub(crate) fn find<'a>(prompts: &'a Prompts, name: &str) -> Result<&'a PromptConfig, RpcError> {
    prompts.get(name).ok_or_else(|| RpcError::invalid_params(format!("There is no prompt '{name}'")))
}

/// A prompt with its arguments. A client of a version that allows it is asked for those that are missing.
pub(crate) async fn get(
    prompts: &Prompts,
    client: &Client,
    params: &JsonObject,
) -> Result<JsonObject, RpcError> {
    let name = params
        .get("name")
        .and_then(Json::as_str)
        .ok_or_else(|| RpcError::invalid_params("name is required"))?;
    let prompt = find(prompts, name)?;
    let mut values = match params.get(ARGUMENTS) {
        None => JsonObject::new(),
        Some(Json::Object(values)) => values.clone(),
        Some(_) => return Err(RpcError::invalid_params("arguments should be an object of strings")),
    };
    if let Some(name) = values.iter().find(|(_, value)| value.as_str().is_none()).map(|(name, _)| name) {
        return Err(RpcError::invalid_params(format!("the argument '{name}' should be a string")));
    }
    if client.is_modern() {
        values.extend(input::form(params, ARGUMENTS)?);
    }
    let is_given =
        |argument: &ArgumentConfig| values.get(&argument.name).is_some_and(|value| value.as_str().is_some());
    let missing: Vec<&ArgumentConfig> =
        prompt.arguments.iter().filter(|argument| argument.required && !is_given(argument)).collect();
    if let Some(first) = missing.first() {
        if client.is_modern() && client.capabilities.elicitation {
            return Ok(asked(prompt.title.as_deref().unwrap_or(name), &missing));
        }
        return Err(RpcError::invalid_params(format!("the argument '{}' is required", first.name)));
    }
    let mut messages: Vec<Json> = Vec::new();
    if let Some(text) = &prompt.text {
        let content = object! { "type" => "text", "text" => fill(text, &values) };
        messages.push(object! { "role" => "user", "content" => content }.into());
    }
    for message in &prompt.messages {
        let role = message.role.as_deref().unwrap_or("user");
        messages.push(object! { "role" => role, "content" => content(message, &values).await? }.into());
    }
    let mut result = object! { "messages" => messages };
    if let Some(description) = &prompt.description {
        result.insert("description".to_owned(), description.as_str().into());
    }
    Ok(result)
}

/// Asks for arguments (2026-07-28, basic/patterns/mrtr).
fn asked(prompt: &str, missing: &[&ArgumentConfig]) -> JsonObject {
    let (mut properties, mut required) = (JsonObject::new(), Vec::new());
    for argument in missing {
        let mut property = object! { "type" => "string" };
        for (key, text) in [("title", &argument.title), ("description", &argument.description)] {
            if let Some(text) = text {
                property.insert(key.to_owned(), text.as_str().into());
            }
        }
        properties.insert(argument.name.clone(), property.into());
        required.push(Json::from(argument.name.as_str()));
    }
    let message = format!("The prompt '{prompt}' needs more");
    input::required(object! { ARGUMENTS => input::form_request(&message, properties, required) }, None)
}

async fn content(message: &MessageConfig, values: &JsonObject) -> Result<JsonObject, RpcError> {
    let text = message.text.as_deref().map(|text| fill(text, values));
    let file = match &message.file {
        Some(path) => Some(File::read(path, message.mime_type.as_deref()).await?),
        None => None,
    };
    let uri = message.uri.as_deref().map(|uri| fill(uri, values));
    Ok(match (uri, file) {
        (None, None) => object! { "type" => "text", "text" => text.unwrap_or_default() },
        (Some(uri), None) => {
            let media_type = message.mime_type.as_deref().unwrap_or("text/plain");
            let resource =
                object! { "uri" => uri, "mimeType" => media_type, "text" => text.unwrap_or_default() };
            object! { "type" => "resource", "resource" => resource }
        }
        (Some(uri), Some(file)) => object! { "type" => "resource", "resource" => file.into_contents(&uri) },
        (None, Some(file)) => {
            let kind = file.media_type().split('/').next().unwrap_or_default();
            if matches!(kind, "image" | "audio") {
                object! { "type" => kind, "data" => file.as_base64(), "mimeType" => file.media_type() }
            } else {
                let path = message.file.as_deref().and_then(|path| path.file_name()?.to_str());
                let uri = format!("file:///{}", crate::template::encoded(path.unwrap_or("file")));
                object! { "type" => "resource", "resource" => file.into_contents(&uri) }
            }
        }
    })
}
