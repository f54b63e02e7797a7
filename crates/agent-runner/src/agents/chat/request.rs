//! What is sent to the model.

use agent_schemas::openai::{to_openai_messages, to_openai_tool_call};
use agent_schemas::{AgentRequest, FunctionCall, Json, JsonObject, Stop, json, object};
use bytes::Bytes;

use super::calls::OwnCall;
use super::config::ChatConfig;
use super::context::Context;
use super::toolbox::Toolbox;

/// What a request may say besides its declared members, in the words of chat completions, and the model is told as it is.
const PASSED_ON: [&str; 3] = ["response_format", "reasoning_effort", "verbosity"];

/// The same where there are tools; servers refuse it without.
const TOOLS_ONLY: [&str; 2] = ["tool_choice", "parallel_tool_calls"];

/// The model that answers a request: the one that it names if it may choose it, else the configured one.
pub(super) fn choose_model<'a>(config: &'a ChatConfig, request: &AgentRequest) -> &'a str {
    let wanted = request.model.as_deref();
    let allowed = config.allowed_models.iter().find(|allowed| Some(allowed.as_str()) == wanted);
    allowed.unwrap_or(&config.model)
}

/// The conversation as the model is told it; it grows by each round of tool calls.
#[derive(Debug)]
pub(super) struct Conversation {
    /// The request's members other than `messages`.
    settings: JsonObject,
    messages: Vec<Json>,
}

impl Conversation {
    pub(super) fn new(
        config: &ChatConfig,
        request: &AgentRequest,
        context: Context,
        model: &str,
        toolbox: &Toolbox<'_>,
        is_openai: bool,
    ) -> Self {
        // One message: some servers take no second one from the system.
        let instructions = config.system_prompt.iter().chain(&context.memories).map(String::as_str);
        let of_request = request.extra_member("instructions").and_then(Json::as_str);
        let instructions: Vec<&str> =
            instructions.chain(of_request).filter(|text| !text.is_empty()).collect();
        let mut messages = Vec::new();
        if !instructions.is_empty() {
            messages.push(Json::from(object! { "role" => "system", "content" => instructions.join("\n\n") }));
        }
        messages.extend(to_openai_messages(&context.messages));
        Conversation { settings: settings(config, request, model, toolbox, is_openai), messages }
    }

    /// Adds what the user has said meanwhile.
    pub(super) fn add_messages(&mut self, messages: &[agent_schemas::Message]) {
        self.messages.extend(to_openai_messages(messages));
    }

    /// The body of the next request.
    pub(super) fn body(&self) -> Bytes {
        let mut body = self.settings.clone();
        body.insert("messages".to_owned(), self.messages.clone().into());
        Json::from(body).to_string().into()
    }

    /// Adds the assistant's message with its calls, and what the tools answered.
    pub(super) fn add_round(&mut self, mut message: JsonObject, calls: &[OwnCall], outputs: &[String]) {
        // A call that had to be made has been made; the model would never come to an end otherwise.
        self.settings.shift_remove("tool_choice");
        let tool_calls: Vec<Json> = calls.iter().map(|call| to_openai_tool_call(&whole(call))).collect();
        message.insert("tool_calls".to_owned(), tool_calls.into());
        self.messages.push(message.into());
        self.messages.extend(calls.iter().zip(outputs).map(|(call, output)| {
            let (id, output) = (call.id.as_str(), output.as_str());
            Json::from(object! { "role" => "tool", "tool_call_id" => id, "content" => output })
        }));
    }
}

/// The call with arguments that are a JSON object whatever the model wrote: some servers refuse others.
fn whole(call: &OwnCall) -> FunctionCall {
    let arguments = match json::parse(&call.arguments) {
        Ok(Json::Object(_)) => call.arguments.clone(),
        _ => Json::from(object! { "invalid_arguments" => call.arguments.as_str() }).to_string(),
    };
    FunctionCall { call_id: Some(call.id.clone()), name: Some(call.name.clone()), arguments: Some(arguments) }
}

fn settings(
    config: &ChatConfig,
    request: &AgentRequest,
    model: &str,
    toolbox: &Toolbox<'_>,
    is_openai: bool,
) -> JsonObject {
    // OpenAI's newer models refuse the old name, and other servers do not know the new one.
    let max_tokens = if is_openai { "max_completion_tokens" } else { "max_tokens" };
    let stop = request.stop.as_ref().map(|stop| match stop {
        Stop::One(text) => Json::from(text.as_str()),
        Stop::Many(texts) => texts.iter().map(|text| Json::from(text.as_str())).collect::<Vec<_>>().into(),
    });
    let tools = Some(toolbox.to_json()).filter(|tools| !tools.is_empty());
    let passed_on = PASSED_ON.iter().chain(TOOLS_ONLY.iter().filter(|_| tools.is_some()));
    let passed_on = passed_on.filter_map(|name| Some((*name, request.extra_member(name)?.clone())));
    let passed_on: Vec<(&str, Json)> = passed_on.filter(|(_, value)| !value.is_null()).collect();
    let optional = [
        ("temperature", request.temperature.or(config.temperature).map(Json::from)),
        ("top_p", request.top_p.or(config.top_p).map(Json::from)),
        ("frequency_penalty", request.frequency_penalty.map(Json::from)),
        ("presence_penalty", request.presence_penalty.map(Json::from)),
        (max_tokens, request.max_tokens.or(config.max_tokens).map(Json::from)),
        ("seed", request.seed.map(Json::from)),
        ("stop", stop),
        ("tools", tools.map(Json::from)),
    ];
    let mut settings = object! {
        "model" => model,
        "stream" => true,
        "stream_options" => object! { "include_usage" => true }
    };
    settings.extend(optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    settings.extend(passed_on.into_iter().map(|(key, value)| (key.to_owned(), value)));
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
            let settings = settings(&ChatConfig::new("m"), &request, "m", &Toolbox::new(&[], tools), false);
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
        let toolbox = Toolbox::new(&[], &[]);
        for (is_openai, name) in [(true, "max_completion_tokens"), (false, "max_tokens")] {
            let settings = settings(&ChatConfig::new("m"), &request, "m", &toolbox, is_openai);
            assert_eq!(settings.last(), Some((&name.to_owned(), &Json::from(5_i64))));
        }
    }
}
