//! Input items, read as messages.

use std::collections::HashSet;

use agent_schemas::{
    Content, ContentBody, FunctionCall, FunctionCallOutput, Json, JsonObject, McpApprovalRequest,
    McpApprovalResponse, McpCall, McpListTools, Message, MessageType, Role, object,
};

use super::ids::{locate, message_id};
use super::references::{References, is_reference};
use super::roles::{DEVELOPER, ROLE};
use super::summary;
use super::{attached, items};
use agent_server::protocol::ErrorInfo;
use agent_server::protocol::Fields;

/// Reads the input: a user's text, or items.
pub(super) fn messages(request: &Fields<'_>, references: &References) -> Result<Vec<Message>, ErrorInfo> {
    match request.get("input") {
        Some(Json::String(text)) => Ok(vec![Message::user(text.as_str())]),
        _ => items(request, "input", references),
    }
}

/// Reads items.
pub(in super::super) fn items(
    request: &Fields<'_>,
    key: &str,
    references: &References,
) -> Result<Vec<Message>, ErrorInfo> {
    let mut messages: Vec<Message> = Vec::new();
    let mut ids = HashSet::new();
    for (item, place) in request.items(key)? {
        let item = Fields::of(item, place)?;
        if is_reference(&item) {
            let named = references.get(item.text("id")?).iter();
            messages.extend(named.filter(|message| ids.insert(message.id.clone())).cloned());
            continue;
        }
        for mut message in read(&item)? {
            // Two items with the same id would become one message.
            if !message.id.is_empty() && !ids.insert(message.id.clone()) {
                message.id.clear();
            }
            messages.push(message);
        }
    }
    Ok(outputs_last(messages))
}

/// Calls of the agent's own tools with nothing between them were made at once: the outputs follow all of them, as a model
/// server expects it.
fn outputs_last(messages: Vec<Message>) -> Vec<Message> {
    let (mut sorted, mut outputs) = (Vec::with_capacity(messages.len()), Vec::new());
    for message in messages {
        if items::is_own_answer(&message) {
            outputs.push(message);
            continue;
        }
        if !items::is_own_call(&message) {
            sorted.append(&mut outputs);
        }
        sorted.push(message);
    }
    sorted.append(&mut outputs);
    sorted
}

fn read(item: &Fields<'_>) -> Result<Vec<Message>, ErrorInfo> {
    let kind = item.optional_text("type")?;
    let message = match kind {
        None | Some("message") if item.get("role").is_some() || kind.is_some() => said(item)?,
        None => return Err(item.fault("type", "this field is required")),
        Some("reasoning") => reasoning(item)?,
        Some("function_call") => function_call(item)?,
        Some("function_call_output") => answer(item, MessageType::FunctionCallOutput)?,
        Some("custom_tool_call") => custom_call(item)?,
        Some("custom_tool_call_output") => custom_answer(item)?,
        Some("mcp_call") => return mcp_call(item),
        Some("compaction") => summary::read(item)?,
        Some("mcp_list_tools") => mcp_list_tools(item)?,
        Some("mcp_approval_request") => approval_request(item)?,
        Some("mcp_approval_response") => approval_response(item)?,
        Some("image_generation_call") => return Ok(picture(item)?.into_iter().collect()),
        // The agent may understand what this version does not know.
        Some(other) => with_data(item, MessageType::from(other), None, item.members().clone())?,
    };
    Ok(vec![message])
}

/// A message with the id that the item names.
fn message(item: &Fields<'_>, kind: MessageType, role: Option<Role>) -> Result<Message, ErrorInfo> {
    let id = item.optional_text("id")?.map(message_id).unwrap_or_default();
    let mut message = Message::new(id, kind);
    message.role = role;
    Ok(message)
}

fn with_data(
    item: &Fields<'_>,
    kind: MessageType,
    role: Option<Role>,
    data: JsonObject,
) -> Result<Message, ErrorInfo> {
    let mut message = message(item, kind, role)?;
    message.content = Some(vec![Content::data(data)]);
    Ok(message)
}

fn said(item: &Fields<'_>) -> Result<Message, ErrorInfo> {
    let name = item.text("role")?;
    let role = match name {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" | DEVELOPER => Role::System,
        _ => return Err(item.fault("role", "expected one of: user, assistant, system, developer")),
    };
    let mut message = message(item, MessageType::Message, Some(role))?;
    if name == DEVELOPER {
        message.metadata = Some(object! { ROLE => DEVELOPER });
    }
    if role == Role::Assistant {
        attached::add_to_message(&mut message, item.members());
    }
    message.content = Some(match item.get("content") {
        Some(Json::String(text)) => vec![Content::text(text.as_str())],
        Some(Json::Array(_)) => parts(item, "content")?,
        Some(_) => return Err(item.fault("content", "expected a string or an array of parts")),
        None => return Err(item.fault("content", "this field is required")),
    });
    Ok(message)
}

fn parts(item: &Fields<'_>, key: &str) -> Result<Vec<Content>, ErrorInfo> {
    let parts = item.items(key)?.into_iter();
    parts.map(|(part, place)| Ok(Content::new(part_body(&Fields::of(part, place)?)?))).collect()
}

fn part_body(part: &Fields<'_>) -> Result<ContentBody, ErrorInfo> {
    let owned = |key| part.optional_text(key).map(|text| text.map(str::to_owned));
    Ok(match part.text("type")? {
        "input_text" | "output_text" | "text" | "summary_text" | "reasoning_text" => {
            ContentBody::Text { text: Some(part.text("text")?.to_owned()) }
        }
        "refusal" => ContentBody::Refusal { refusal: Some(part.text("refusal")?.to_owned()) },
        "input_image" => match (owned("image_url")?, owned("file_id")?) {
            (Some(url), _) => ContentBody::Image { image_url: Some(url) },
            (None, Some(id)) => {
                ContentBody::File { file_url: None, file_id: Some(id), filename: None, file_data: None }
            }
            (None, None) => return Err(part.fault("image_url", "an image needs an image_url or a file_id")),
        },
        "input_file" => {
            let (file_url, file_id) = (owned("file_url")?, owned("file_id")?);
            let (filename, file_data) = (owned("filename")?, owned("file_data")?);
            if file_url.is_none() && file_id.is_none() && file_data.is_none() {
                return Err(part.fault("file_data", "a file needs a file_data, a file_url or a file_id"));
            }
            ContentBody::File { file_url, file_id, filename, file_data }
        }
        "input_audio" => {
            let audio = part.object("input_audio")?;
            let format = audio.optional_text("format")?.map(str::to_owned);
            ContentBody::Audio { data: Some(audio.text("data")?.to_owned()), format }
        }
        "input_video" => ContentBody::Video { video_url: Some(part.text("video_url")?.to_owned()) },
        other => return Err(part.fault("type", format!("parts of type '{other}' are not supported"))),
    })
}

/// The reasoning itself, or its summary if the client has nothing else.
fn reasoning(item: &Fields<'_>) -> Result<Message, ErrorInfo> {
    let mut message = message(item, MessageType::Reasoning, Some(Role::Assistant))?;
    attached::add_to_message(&mut message, item.members());
    let content = parts(item, "content")?;
    message.content = Some(if content.is_empty() { parts(item, "summary")? } else { content });
    Ok(message)
}

fn function_call(item: &Fields<'_>) -> Result<Message, ErrorInfo> {
    let call = FunctionCall {
        call_id: Some(item.text("call_id")?.to_owned()),
        name: Some(item.text("name")?.to_owned()),
        arguments: Some(item.text("arguments")?.to_owned()),
    };
    let mut data = call.into_data();
    attached::add_to_call(&mut data, item.members());
    with_data(item, MessageType::FunctionCall, Some(Role::Assistant), data)
}

/// A tool that takes plain text is a plugin whose only argument is the text.
fn custom_call(item: &Fields<'_>) -> Result<Message, ErrorInfo> {
    let input = item.text("input")?;
    let arguments = Json::from(object! { "input" => input }).to_string();
    let mut data = object! {
        "call_id" => item.text("call_id")?, "name" => item.text("name")?, "arguments" => arguments, "input" => input
    };
    attached::add_to_call(&mut data, item.members());
    with_data(item, MessageType::PluginCall, Some(Role::Assistant), data)
}

/// The id distinguishes it from the output of a tool that an agent executed itself.
fn custom_answer(item: &Fields<'_>) -> Result<Message, ErrorInfo> {
    let mut answer = answer(item, MessageType::PluginCallOutput)?;
    let id = answer.id.clone();
    for content in answer.content.iter_mut().flatten() {
        if let ContentBody::Data { data: Some(data) } = &mut content.body {
            data.insert("id".to_owned(), id.as_str().into());
        }
    }
    Ok(answer)
}

fn answer(item: &Fields<'_>, kind: MessageType) -> Result<Message, ErrorInfo> {
    let (output, media) = match item.get("output") {
        Some(Json::String(text)) => (text.clone(), Vec::new()),
        Some(Json::Array(_)) => answer_of_parts(item)?,
        Some(_) => return Err(item.fault("output", "expected a string or an array of parts")),
        None => return Err(item.fault("output", "this field is required")),
    };
    let output = FunctionCallOutput {
        call_id: item.text("call_id")?.to_owned(),
        name: item.optional_text("name")?.map(str::to_owned),
        output,
    };
    let mut message = with_data(item, kind, Some(Role::Tool), output.into_data())?;
    message.content.get_or_insert_default().extend(media);
    Ok(message)
}

/// The texts of an output, and its other parts.
fn answer_of_parts(item: &Fields<'_>) -> Result<(String, Vec<Content>), ErrorInfo> {
    let (texts, media): (Vec<Content>, _) =
        parts(item, "output")?.into_iter().partition(|part| part.as_text().is_some());
    let texts: Vec<&str> = texts.iter().filter_map(Content::as_text).collect();
    Ok((texts.join("\n"), media))
}

/// Such an item has the call and its output; messages have them separately.
fn mcp_call(item: &Fields<'_>) -> Result<Vec<Message>, ErrorInfo> {
    let call_id = call_id_of(item.text("id")?);
    let name = item.text("name")?.to_owned();
    let call = McpCall {
        call_id: Some(call_id.clone()),
        arguments: Some(item.text("arguments")?.to_owned()),
        name: Some(name.clone()),
        server_label: Some(item.text("server_label")?.to_owned()),
    };
    let mut data = call.into_data();
    attached::add_to_call(&mut data, item.members());
    let mut messages = vec![with_data(item, MessageType::McpCall, Some(Role::Assistant), data)?];
    // OpenAI's errors are objects; earlier versions of its types have a text.
    let error = item.get("error").map(|error| {
        let text = error.as_str().or_else(|| error.get("content")?.as_str());
        text.map_or_else(|| error.to_string(), str::to_owned)
    });
    if let Some(output) = item.optional_text("output")?.map(str::to_owned).or(error) {
        let output = FunctionCallOutput { call_id, name: Some(name), output };
        let mut answer = Message::new("", MessageType::McpCallOutput);
        answer.role = Some(Role::Tool);
        answer.content = Some(vec![Content::data(output.into_data())]);
        messages.push(answer);
    }
    Ok(messages)
}

/// The call id for an item. Model servers accept no more than 40 characters.
fn call_id_of(item: &str) -> String {
    let (id, _) = locate(item);
    let excess = id.chars().count().saturating_sub(40);
    id.chars().skip(excess).collect()
}

fn mcp_list_tools(item: &Fields<'_>) -> Result<Message, ErrorInfo> {
    let data = item.members().clone();
    McpListTools::from_data(&data).map_err(|fault| at(item, fault))?;
    with_data(item, MessageType::McpListTools, None, data)
}

fn approval_request(item: &Fields<'_>) -> Result<Message, ErrorInfo> {
    let data = McpApprovalRequest::from_data(item.members()).map_err(|fault| at(item, fault))?.into_data();
    with_data(item, MessageType::McpApprovalRequest, Some(Role::Assistant), data)
}

fn approval_response(item: &Fields<'_>) -> Result<Message, ErrorInfo> {
    let data = McpApprovalResponse::from_data(item.members()).map_err(|fault| at(item, fault))?.into_data();
    with_data(item, MessageType::McpApprovalResponse, Some(Role::User), data)
}

fn at(item: &Fields<'_>, fault: agent_schemas::ValidationError) -> ErrorInfo {
    let failure = ErrorInfo::from(fault);
    let inside = failure.parameter.clone().unwrap_or_default();
    failure.with_parameter(item.place_of(&inside))
}

/// An image that an agent created earlier.
fn picture(item: &Fields<'_>) -> Result<Option<Message>, ErrorInfo> {
    let Some(base64) = item.optional_text("result")? else { return Ok(None) };
    let mut message = message(item, MessageType::Message, Some(Role::Assistant))?;
    message.content = Some(vec![Content::image(format!("data:image/png;base64,{base64}"))]);
    Ok(Some(message))
}
