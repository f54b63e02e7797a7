//! Converts complete messages to items.

mod own_calls;

use agent_schemas::response_api::{ResponseInputFile, ResponseInputImage, ResponseInputText};
use agent_schemas::responses::{
    CustomToolCallItem, CustomToolCallOutputItem, FunctionCallItem, FunctionCallOutputItem,
    ImageGenerationItem, ItemStatus, McpApprovalRequestItem, McpApprovalResponseItem, McpCallItem,
    McpListToolsItem, MessageItem, OutputText, ReasoningItem, ReasoningText, Refusal, ResponseItem,
    ResponsePart,
};
use agent_schemas::{
    Content, ContentBody, Json, JsonObject, McpApprovalRequest, McpApprovalResponse, McpListTools, Message,
    MessageType, Role, Status, object,
};

use super::attached;
use super::ids::{self, item_id, message_item_id};
use super::roles::{DEVELOPER, ROLE};
pub(in super::super) use own_calls::{Answer, is_own_answer, is_own_call, of_messages};

/// The `server_label` of the agent's own tools.
const OWN_SERVER: &str = "agent";

/// The items for a message; empty if the protocol has no counterpart.
pub(in super::super) fn of_message(message: &Message) -> Vec<ResponseItem> {
    match &message.kind {
        MessageType::Message => said(message),
        MessageType::Reasoning => vec![reasoning(message).into()],
        MessageType::FunctionCall | MessageType::PluginCall => of_contents(message, call),
        MessageType::FunctionCallOutput | MessageType::PluginCallOutput => of_contents(message, answer),
        MessageType::ComponentCall | MessageType::McpCall => {
            of_contents(message, |message, index, data| Some(own_call(message, index, data).into()))
        }
        MessageType::McpListTools => of_contents(message, mcp_list_tools),
        MessageType::McpApprovalRequest => of_contents(message, approval_request),
        MessageType::McpApprovalResponse => of_contents(message, approval_response),
        MessageType::Error => vec![error(message).into()],
        MessageType::Other(_) => of_contents(message, unknown),
        _ => Vec::new(),
    }
}

fn of_contents(
    message: &Message,
    item: impl Fn(&Message, usize, &JsonObject) -> Option<ResponseItem>,
) -> Vec<ResponseItem> {
    let data = message.contents().iter().filter_map(Content::as_data);
    data.enumerate().filter_map(|(index, data)| item(message, index, data)).collect()
}

/// The id of an item, if it was made here: an approval keeps the agent's own, which the client refers to.
pub(super) fn own_id(item: &mut ResponseItem) -> Option<&mut String> {
    Some(match item {
        ResponseItem::Message(item) => &mut item.id,
        ResponseItem::Reasoning(item) => &mut item.id,
        ResponseItem::FunctionCall(item) => &mut item.id,
        ResponseItem::FunctionCallOutput(item) => &mut item.id,
        ResponseItem::CustomToolCall(item) => &mut item.id,
        ResponseItem::CustomToolCallOutput(item) => &mut item.id,
        ResponseItem::McpListTools(item) => &mut item.id,
        ResponseItem::McpCall(item) => &mut item.id,
        ResponseItem::ImageGeneration(item) => &mut item.id,
        _ => return None,
    })
}

/// The status of the item for a message with this status.
pub(super) fn ended(status: &Status) -> ItemStatus {
    match status {
        Status::Canceled | Status::Failed | Status::Rejected | Status::Incomplete => ItemStatus::Incomplete,
        _ => ItemStatus::Completed,
    }
}

/// The item for a message's text, and separate items for an agent's images.
fn said(message: &Message) -> Vec<ResponseItem> {
    let is_agents = is_agents(message);
    let pictures = message.contents().iter().enumerate().filter_map(|(index, content)| match &content.body {
        ContentBody::Image { image_url: Some(url) } if is_agents => picture(message, index, url),
        _ => None,
    });
    let pictures: Vec<ResponseItem> = pictures.map(ResponseItem::from).collect();
    let content: Vec<ResponsePart> =
        message.contents().iter().filter_map(|content| part(&content.body, is_agents)).collect();
    if content.is_empty() && !pictures.is_empty() {
        return pictures;
    }
    let item = MessageItem {
        id: message_item_id(&message.id),
        status: ended(&message.status),
        role: role(message).to_owned(),
        content,
        extra: attached::of_message(message),
        ..MessageItem::default()
    };
    std::iter::once(item.into()).chain(pictures).collect()
}

/// Whether the message is from the agent.
pub(super) fn is_agents(message: &Message) -> bool {
    matches!(message.role, Some(Role::Assistant))
}

fn role(message: &Message) -> &str {
    let name = message.metadata.as_ref().and_then(|metadata| metadata.get(ROLE)?.as_str());
    match message.role {
        Some(Role::System) if name == Some(DEVELOPER) => DEVELOPER,
        Some(role) => role.as_str(),
        None => Role::User.as_str(),
    }
}

/// A part of a message. Contents of an agent that the protocol does not have become text if possible.
pub(super) fn part(body: &ContentBody, is_agents: bool) -> Option<ResponsePart> {
    let text = |text: String| {
        if is_agents { OutputText::new(text).into() } else { input_text(text).into() }
    };
    Some(match body {
        ContentBody::Text { text: Some(said) } => text(said.clone()),
        ContentBody::Refusal { refusal: Some(refusal) } => Refusal::new(refusal.as_str()).into(),
        ContentBody::Data { data: Some(data) } => text(Json::from(data.clone()).to_string()),
        ContentBody::Image { image_url: Some(url) } if is_agents => {
            return (base64(url).is_none()).then(|| text(format!("![]({url})")));
        }
        ContentBody::Image { image_url } => ResponsePart::InputImage(ResponseInputImage {
            detail: Some("auto".to_owned()),
            image_url: image_url.clone(),
            ..ResponseInputImage::default()
        }),
        ContentBody::File { file_url, file_id, filename, file_data } if !is_agents => {
            ResponsePart::InputFile(ResponseInputFile {
                file_data: file_data.clone(),
                file_id: file_id.clone(),
                file_url: file_url.clone(),
                filename: filename.clone(),
                ..ResponseInputFile::default()
            })
        }
        ContentBody::Audio { data: Some(data), format } if !is_agents => {
            let audio = object! { "data" => data.as_str(), "format" => format.clone() };
            ResponsePart::Other(object! { "type" => "input_audio", "input_audio" => audio })
        }
        ContentBody::Video { video_url: Some(url) } if !is_agents => {
            ResponsePart::Other(object! { "type" => "input_video", "video_url" => url.as_str() })
        }
        _ => return None,
    })
}

fn input_text(text: String) -> ResponseInputText {
    ResponseInputText { text, ..ResponseInputText::default() }
}

/// The Base64 data of an image that is given inline.
fn base64(url: &str) -> Option<&str> {
    let (kind, data) = url.strip_prefix("data:")?.split_once(',')?;
    kind.ends_with(";base64").then_some(data)
}

/// An image that is given inline.
pub(super) fn picture(message: &Message, index: usize, url: &str) -> Option<ImageGenerationItem> {
    Some(ImageGenerationItem {
        id: item_id(ids::IMAGE, &message.id, index),
        status: ItemStatus::Completed,
        result: Some(base64(url)?.to_owned()),
        ..ImageGenerationItem::default()
    })
}

fn reasoning(message: &Message) -> ReasoningItem {
    let texts = message.contents().iter().filter_map(Content::as_text);
    ReasoningItem {
        id: item_id(ids::REASONING, &message.id, 0),
        status: ended(&message.status),
        content: texts.map(|text| ReasoningText::new(text).into()).collect(),
        extra: attached::of_message(message),
        ..ReasoningItem::default()
    }
}

/// An error that the agent reports without failing.
fn error(message: &Message) -> MessageItem {
    let told = message.message.clone().or_else(|| message.code.clone());
    let text = told.unwrap_or_else(|| message.full_text());
    MessageItem {
        id: message_item_id(&message.id),
        status: ItemStatus::Completed,
        content: vec![OutputText::new(text).into()],
        ..MessageItem::default()
    }
}

/// A text of a payload; empty if it is missing.
pub(super) fn text_of(data: &JsonObject, key: &str) -> String {
    data.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// The call of a stored message. Only clients send plugin calls with an `input`.
fn call(message: &Message, index: usize, data: &JsonObject) -> Option<ResponseItem> {
    let status = ended(&message.status);
    Some(match (custom_call(message, index, data), &message.kind) {
        (Some(call), _) => CustomToolCallItem { status, ..call }.into(),
        (None, MessageType::PluginCall) => own_call(message, index, data).into(),
        (None, _) => FunctionCallItem { status, ..function_call(message, index, data) }.into(),
    })
}

/// A call that has started.
pub(super) fn function_call(message: &Message, index: usize, data: &JsonObject) -> FunctionCallItem {
    FunctionCallItem {
        id: item_id(ids::CALL, &message.id, index),
        call_id: text_of(data, "call_id"),
        name: text_of(data, "name"),
        arguments: text_of(data, "arguments"),
        extra: attached::of_call(data),
        ..FunctionCallItem::default()
    }
}

/// The same for a tool that takes plain text.
pub(super) fn custom_call(message: &Message, index: usize, data: &JsonObject) -> Option<CustomToolCallItem> {
    let input = data.get("input")?.as_str()?;
    Some(CustomToolCallItem {
        id: item_id(ids::CUSTOM_CALL, &message.id, index),
        call_id: text_of(data, "call_id"),
        name: text_of(data, "name"),
        input: input.to_owned(),
        extra: attached::of_call(data),
        ..CustomToolCallItem::default()
    })
}

/// The same for a tool that the agent executes itself.
pub(super) fn own_call(message: &Message, index: usize, data: &JsonObject) -> McpCallItem {
    let label = Some(text_of(data, "server_label")).filter(|label| !label.is_empty());
    McpCallItem {
        id: item_id(ids::MCP_CALL, &message.id, index),
        server_label: label.unwrap_or_else(|| OWN_SERVER.to_owned()),
        name: text_of(data, "name"),
        arguments: own_arguments(data).unwrap_or_default(),
        extra: attached::of_call(data),
        ..McpCallItem::default()
    }
}

/// The call behind the output of a tool that the agent executed itself, if it is in an earlier response: its arguments
/// are there, and the output has its name.
pub(super) fn call_of_answer(message: &Message, index: usize) -> Option<McpCallItem> {
    let data = message.contents().iter().filter_map(Content::as_data).nth(index)?;
    let call = own_call(message, index, data);
    let is_known = is_own_answer(message) && !call.name.is_empty();
    is_known.then(|| McpCallItem { arguments: "{}".to_owned(), ..call })
}

/// The arguments of such a tool. Those of a tool that takes plain text are JSON too, because clients parse them.
pub(super) fn own_arguments(data: &JsonObject) -> Option<String> {
    let text = |key: &str| data.get(key).and_then(Json::as_str);
    let input = || Some(Json::from(object! { "input" => text("input")? }).to_string());
    text("arguments").map(str::to_owned).or_else(input)
}

fn answer(message: &Message, index: usize, data: &JsonObject) -> Option<ResponseItem> {
    let (call_id, output) = (text_of(data, "call_id"), output_of(message, data));
    let status = ended(&message.status);
    Some(if message.kind == MessageType::PluginCallOutput {
        let id = item_id(ids::CUSTOM_CALL_OUTPUT, &message.id, index);
        CustomToolCallOutputItem { id, status, call_id, output, ..CustomToolCallOutputItem::default() }.into()
    } else {
        let id = item_id(ids::CALL_OUTPUT, &message.id, index);
        FunctionCallOutputItem { id, status, call_id, output, ..FunctionCallOutputItem::default() }.into()
    })
}

/// A tool's output: its text, or parts if it has images or files.
fn output_of(message: &Message, data: &JsonObject) -> Json {
    let text = output(data);
    let contents = message.contents().iter();
    let of_output = contents.skip_while(|content| content.as_data() != Some(data)).skip(1);
    let media = of_output.take_while(|content| content.as_data().is_none());
    let media: Vec<ResponsePart> = media.filter_map(|content| part(&content.body, false)).collect();
    if media.is_empty() {
        return text.into();
    }
    let text = Some(text).filter(|text| !text.is_empty()).map(|text| input_text(text).into());
    let parts = text.into_iter().chain(media);
    parts.filter_map(|part: ResponsePart| Json::from_serialize(&part).ok()).collect::<Vec<_>>().into()
}

/// A tool's output, as text.
fn output(data: &JsonObject) -> String {
    match data.get("output") {
        Some(Json::String(text)) => text.clone(),
        None | Some(Json::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

fn mcp_list_tools(message: &Message, index: usize, data: &JsonObject) -> Option<ResponseItem> {
    let list = McpListTools::from_data(data).ok()?;
    let error = message.error.as_ref().map(|error| error.message.clone());
    Some(ResponseItem::McpListTools(McpListToolsItem {
        id: item_id(ids::MCP_LIST, &message.id, index),
        server_label: list.server_label,
        tools: list.tools,
        error: list.error.or(error),
        ..McpListToolsItem::default()
    }))
}

/// The request keeps the agent's own id, which the response refers to.
fn approval_request(message: &Message, index: usize, data: &JsonObject) -> Option<ResponseItem> {
    let request = McpApprovalRequest::from_data(data).ok()?;
    let own = Some(request.id).filter(|id| !id.is_empty());
    Some(ResponseItem::McpApprovalRequest(McpApprovalRequestItem {
        id: own.unwrap_or_else(|| item_id(ids::MCP_APPROVAL, &message.id, index)),
        server_label: request.server_label,
        name: request.name,
        arguments: request.arguments,
        ..McpApprovalRequestItem::default()
    }))
}

fn approval_response(message: &Message, index: usize, data: &JsonObject) -> Option<ResponseItem> {
    let response = McpApprovalResponse::from_data(data).ok()?;
    Some(ResponseItem::McpApprovalResponse(McpApprovalResponseItem {
        id: item_id(ids::MCP_APPROVAL, &message.id, index),
        approval_request_id: response.approval_request_id,
        approve: response.approve,
        reason: response.reason,
        ..McpApprovalResponseItem::default()
    }))
}

/// An item from a client that this version does not know.
fn unknown(message: &Message, index: usize, data: &JsonObject) -> Option<ResponseItem> {
    let mut members = data.clone();
    members.get("type")?;
    if members.get("id").and_then(Json::as_str).is_none() {
        members.insert("id".to_owned(), item_id("msg_", &message.id, index).into());
    }
    Some(ResponseItem::Other(members))
}
