//! The requests to the model.

use agent_schemas::openai::{attach_to_call, to_openai_messages, to_openai_tool_call};
use agent_schemas::{AgentRequest, ContentBody, FunctionCall, Json, JsonObject, Message, Stop, json, object};
use bytes::Bytes;

use super::calls::OwnCall;
use super::config::{ChatConfig, SystemRole};
use super::context::Context;
use super::toolbox::{Outcome, Toolbox};

/// Undeclared members of a request that are passed to the model if there are tools; servers reject them otherwise.
const PARALLEL: &str = "parallel_tool_calls";
const CHOICE: &str = "tool_choice";

/// The model for a request: the one that it names, if that is allowed, otherwise the configured one.
pub(super) fn choose_model<'a>(config: &'a ChatConfig, request: &AgentRequest) -> &'a str {
    let wanted = request.model.as_deref();
    let allowed = config.allowed_models.iter().find(|allowed| Some(allowed.as_str()) == wanted);
    allowed.unwrap_or(&config.model)
}

/// The conversation as the model receives it; it grows with each round of tool calls.
#[derive(Debug)]
pub(super) struct Conversation {
    /// The request's members other than `messages`.
    settings: JsonObject,
    system_role: SystemRole,
    /// All instructions. They are in one message at the beginning, because some servers reject system messages
    /// elsewhere.
    instructions: Vec<String>,
    messages: Vec<Json>,
}

impl Conversation {
    pub(super) fn new(
        config: &ChatConfig,
        request: &AgentRequest,
        context: Context,
        model: &str,
        toolbox: &Toolbox,
        is_openai: bool,
    ) -> Self {
        let instructions = config.system_prompt.iter().chain(&context.memories).map(String::as_str);
        let of_request = request.extra_member("instructions").and_then(Json::as_str);
        let instructions = instructions.chain(of_request).filter(|text| !text.is_empty());
        let mut conversation = Conversation {
            settings: settings(config, request, model, toolbox, is_openai),
            system_role: config.system_role,
            instructions: instructions.map(str::to_owned).collect(),
            messages: Vec::new(),
        };
        let mut messages = context.messages;
        messages.iter_mut().for_each(|message| rename_calls(message, toolbox));
        conversation.add_messages(&messages);
        conversation
    }

    /// Adds messages of the conversation, such as input that the user sent during the turn.
    pub(super) fn add_messages(&mut self, messages: &[Message]) {
        for message in to_openai_messages(messages) {
            let text = message.get("content").and_then(Json::as_str);
            match (message.get("role").and_then(Json::as_str), text) {
                (Some("system"), Some("")) => {}
                (Some("system"), Some(text)) => self.instructions.push(text.to_owned()),
                _ => self.messages.push(message),
            }
        }
    }

    /// The body of the next request.
    pub(super) fn body(&self) -> Bytes {
        let instructions = (!self.instructions.is_empty()).then(|| self.instructions.join("\n\n"));
        let first =
            instructions.map(|text| object! { "role" => self.system_role.as_str(), "content" => text });
        let messages: Vec<Json> =
            first.map(Json::from).into_iter().chain(self.messages.iter().cloned()).collect();
        let mut body = self.settings.clone();
        body.insert("messages".to_owned(), messages.into());
        Json::from(body).to_string().into()
    }

    /// Adds the assistant's message with its calls, and the tools' outputs.
    pub(super) fn add_round(&mut self, mut message: JsonObject, calls: &[OwnCall], outputs: &[Outcome]) {
        // A forced call has been made; if it stayed forced, the model would never finish.
        if self.settings.get(CHOICE).and_then(Json::as_str) != Some("none") {
            self.settings.shift_remove(CHOICE);
        }
        let tool_calls: Vec<Json> = calls.iter().map(tool_call).collect();
        message.insert("tool_calls".to_owned(), tool_calls.into());
        self.messages.push(message.into());
        self.messages.extend(calls.iter().zip(outputs).map(|(call, output)| {
            let (id, output) = (call.id.as_str(), output.text.as_str());
            Json::from(object! { "role" => "tool", "tool_call_id" => id, "content" => output })
        }));
        // Most servers take only texts from tools, and images only from users.
        let pictures = outputs.iter().flat_map(|output| &output.attached).filter_map(picture);
        let pictures: Vec<Json> = pictures.collect();
        if !pictures.is_empty() {
            self.messages.push(object! { "role" => "user", "content" => pictures }.into());
        }
    }
}

/// An image as a part of a user's message.
fn picture(content: &ContentBody) -> Option<Json> {
    let ContentBody::Image { image_url: Some(url) } = content else { return None };
    let url = object! { "url" => url.as_str() };
    Some(object! { "type" => "image_url", "image_url" => url }.into())
}

/// The call with what the server attached to it.
fn tool_call(call: &OwnCall) -> Json {
    match to_openai_tool_call(&whole(call)) {
        Json::Object(mut members) => {
            attach_to_call(&mut members, &call.extra);
            members.into()
        }
        other => other,
    }
}

/// The call with arguments that are a JSON object, whatever the model wrote: some servers reject anything else.
fn whole(call: &OwnCall) -> FunctionCall {
    let arguments = match json::parse(&call.arguments) {
        Ok(Json::Object(_)) => call.arguments.clone(),
        _ => Json::from(object! { "invalid_arguments" => call.arguments.as_str() }).to_string(),
    };
    FunctionCall { call_id: Some(call.id.clone()), name: Some(call.name.clone()), arguments: Some(arguments) }
}

/// Gives calls of tools in a namespace, and of MCP servers, the names under which the model knows them.
fn rename_calls(message: &mut Message, toolbox: &Toolbox) {
    for content in message.content.iter_mut().flatten() {
        let ContentBody::Data { data: Some(data) } = &mut content.body else { continue };
        let text = |key: &str| data.get(key).and_then(Json::as_str);
        let known = text("name").and_then(|name| match (text("namespace"), text("server_label")) {
            (Some(namespace), _) => toolbox.name_of(name, namespace),
            (None, Some(server_label)) => toolbox.name_of_mcp(name, server_label),
            (None, None) => None,
        });
        if let Some(name) = known.map(str::to_owned) {
            data.insert("name".to_owned(), name.into());
        }
    }
}

fn settings(
    config: &ChatConfig,
    request: &AgentRequest,
    model: &str,
    toolbox: &Toolbox,
    is_openai: bool,
) -> JsonObject {
    // OpenAI's newer models reject the old name, and other servers do not know the new one.
    let max_tokens = if is_openai { "max_completion_tokens" } else { "max_tokens" };
    let stop = request.stop.as_ref().map(|stop| match stop {
        Stop::One(text) => Json::from(text.as_str()),
        Stop::Many(texts) => texts.iter().map(|text| Json::from(text.as_str())).collect::<Vec<_>>().into(),
    });
    let tools = Some(toolbox.to_json()).filter(|tools| !tools.is_empty());
    let member = |name: &str| request.extra_member(name).filter(|value| !value.is_null()).cloned();
    let for_tools = |value: Option<Json>| value.filter(|_| tools.is_some());
    let choice = for_tools(member(CHOICE).and_then(|choice| toolbox.choice(&choice)));
    let parallel = for_tools(member(PARALLEL));
    let optional = [
        ("temperature", request.temperature.or(config.temperature).map(Json::from)),
        ("top_p", request.top_p.or(config.top_p).map(Json::from)),
        ("frequency_penalty", request.frequency_penalty.map(Json::from)),
        ("presence_penalty", request.presence_penalty.map(Json::from)),
        (max_tokens, request.max_tokens.or(config.max_tokens).map(Json::from)),
        ("seed", request.seed.map(Json::from)),
        ("stop", stop),
        ("tools", tools.clone().map(Json::from)),
    ];
    let mut settings = object! {
        "model" => model,
        "stream" => true,
        "stream_options" => object! { "include_usage" => true }
    };
    settings.extend(optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    settings.extend(config.passed_on.iter().filter_map(|name| Some((name.clone(), member(name)?))));
    settings.extend(
        [(CHOICE, choice), (PARALLEL, parallel)]
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?))),
    );
    for (key, value) in &config.extra_body {
        settings.entry(key.clone()).or_insert_with(|| value.clone());
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings__extra_members__are_passed_on() {
        let mut request = AgentRequest::new(vec![]);
        for name in ["response_format", "tool_choice", "unheard_of"] {
            request.extra.insert(name.to_owned(), Json::from(name));
        }
        let passed_on = |tools: &[agent_schemas::RequestTool]| {
            let settings =
                settings(&ChatConfig::new("m"), &request, "m", &Toolbox::new(Vec::new(), tools), false);
            ["response_format", "tool_choice", "unheard_of"].map(|name| settings.contains_key(name))
        };
        assert_eq!(passed_on(&[]), [true, false, false]);
        let function = object! { "type" => "function", "function" => object! { "name" => "f" } };
        assert_eq!(passed_on(&[agent_schemas::RequestTool::Other(function)]), [true, true, false]);
    }

    #[test]
    fn settings__token_limit__uses_openai_name_for_openai() {
        let mut request = AgentRequest::new(vec![]);
        request.max_tokens = Some(5);
        let toolbox = Toolbox::new(Vec::new(), &[]);
        for (is_openai, name) in [(true, "max_completion_tokens"), (false, "max_tokens")] {
            let settings = settings(&ChatConfig::new("m"), &request, "m", &toolbox, is_openai);
            assert_eq!(settings.last(), Some((&name.to_owned(), &Json::from(5_i64))));
        }
    }
}
