//! The scripts of upstream's handlers, executed by our agent.

use std::collections::HashMap;

use agent_runner::{Agent, AgentError, RunHandle};
use agent_schemas::builder::{ContentBuilder, MessageBuilder, ResponseBuilder};
use agent_schemas::{AgentRequest, Content, Error, Event, Json, JsonObject, Role};
use async_trait::async_trait;
use parking_lot::Mutex;

use super::answer::{members, parse};

/// The script of one of upstream's handlers.
#[derive(Clone, Debug)]
pub(super) enum Script {
    /// It yields pieces of text and may raise: the framework `text`.
    Text(Vec<Json>),
    /// It works with builders and yields events: the framework `autogen`.
    Builders(Vec<Json>),
}

#[derive(Debug)]
pub(super) struct ScriptAgent {
    pub(super) script: Script,
    /// The request that the agent got.
    pub(super) saw: std::sync::Arc<Mutex<Option<AgentRequest>>>,
}

#[async_trait]
impl Agent for ScriptAgent {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        *self.saw.lock() = Some(run.request().clone());
        match &self.script {
            Script::Text(steps) => text(&run, steps),
            Script::Builders(operations) => {
                let mut workshop = Workshop { run: &run, messages: HashMap::new(), contents: HashMap::new() };
                operations.iter().try_for_each(|operation| workshop.perform(operation))
            }
        }
    }
}

/// Streams the pieces as one message, which is opened with the first of them, or at the end if there was none.
fn text(run: &RunHandle, steps: &[Json]) -> Result<(), AgentError> {
    let mut open = None;
    for step in steps {
        if let Some(exception) = step.get("raise") {
            return Err(raised(exception).into());
        }
        let (_, writer) = open.get_or_insert_with(|| {
            let message = run.message();
            let text = message.text();
            (message, text)
        });
        writer.delta(step.get("yield").and_then(Json::as_str).unwrap_or_default());
    }
    let (message, text) = open.unwrap_or_else(|| {
        let message = run.message();
        let text = message.text();
        (message, text)
    });
    text.complete();
    message.complete();
    Ok(())
}

/// A Python exception as the error that our agent would return.
fn raised(exception: &Json) -> Error {
    let class = exception.get("type").and_then(Json::as_str).unwrap_or_default();
    let arguments = exception.get("args").and_then(Json::as_array).unwrap_or_default();
    let text = |at: usize| arguments.get(at).and_then(Json::as_str).unwrap_or_default().to_owned();
    let number = |at: usize| arguments.get(at).and_then(Json::as_i64).and_then(|n| u64::try_from(n).ok());
    match class {
        "ModelTimeoutException" => {
            Error::ModelTimeout { model_name: text(0), timeout: number(1).expect("a time") }
        }
        "RateLimitExceededException" => {
            Error::RateLimitExceeded { operation: text(0), retry_after: number(1).expect("a time") }
        }
        "BadRequestException" => Error::Custom { status: 400, code: text(0), message: text(1) },
        // Python shows a missing key in quotes.
        "KeyError" => Error::unknown(class, format!("'{}'", text(0))),
        _ => Error::unknown(class, text(0)),
    }
}

/// The builders of a script, by their names in it.
struct Workshop<'a> {
    run: &'a RunHandle,
    messages: HashMap<String, MessageBuilder>,
    /// With the name of their message.
    contents: HashMap<String, (String, ContentBuilder)>,
}

impl Workshop<'_> {
    fn perform(&mut self, operation: &Json) -> Result<(), AgentError> {
        let text = |key: &str| operation.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        match text("op").as_str() {
            "new_message" => {
                let mut message = new_message(self.run, operation.get("args"));
                self.run.emit(message.in_progress());
                self.messages.insert(text("as"), message);
            }
            "new_content" => {
                let message = self.messages.get_mut(&text("of")).expect("the message");
                let content = message.content(&text("content_type")).map_err(value_error)?;
                self.contents.insert(text("as"), (text("of"), content));
            }
            "set_field" => {
                let message = self.messages.remove(&text("of")).expect("the message");
                assert_eq!(text("field"), "usage");
                let usage = operation.get("value").and_then(Json::as_object).cloned().expect("an object");
                self.messages.insert(text("of"), message.with_usage(usage));
            }
            "raise" => return Err(raised(operation.get("exc").expect("an exception")).into()),
            "raw_message" | "raw_content" => self.run.emit(raw_event(operation)),
            "generate_streaming_response" => {
                let ids = &*self.run.services().ids;
                let tokens = operation.get("tokens").and_then(Json::as_array).unwrap_or_default();
                let tokens = tokens.iter().filter_map(Json::as_str);
                let response = ResponseBuilder::new(ids, 1);
                let events = response.generate_streaming_response(ids, Role::Assistant, tokens, 2);
                events.into_iter().for_each(|event| self.run.emit(event));
            }
            "complete" if self.messages.contains_key(&text("of")) => {
                let message = self.messages[&text("of")].clone().complete();
                self.emit(operation, message);
            }
            "complete" => {
                let (message, content) = self.contents[&text("of")].clone();
                let message = self.messages.get_mut(&message).expect("the message");
                let event = message.complete_content(content);
                self.emit(operation, event);
            }
            _ => {
                let (_, content) = self.contents.get_mut(&text("of")).expect("the content");
                let event = write(content, operation).map_err(value_error)?;
                self.emit(operation, event);
            }
        }
        Ok(())
    }

    fn emit(&self, operation: &Json, event: impl Into<Event>) {
        if operation.get("yield").and_then(Json::as_bool) == Some(true) {
            self.run.emit(event);
        }
    }
}

fn value_error(error: agent_schemas::builder::BuilderError) -> AgentError {
    Error::unknown("ValueError", error.to_string()).into()
}

fn new_message(run: &RunHandle, arguments: Option<&Json>) -> MessageBuilder {
    let text = |key| arguments.and_then(|arguments| arguments.get(key)).and_then(Json::as_str);
    let role = text("role").and_then(Role::from_name).unwrap_or(Role::Assistant);
    let kind = text("message_type").unwrap_or("message");
    MessageBuilder::new(&*run.services().ids).with_role(role).with_kind(kind.into())
}

/// Calls a method of a content builder.
fn write(
    content: &mut ContentBuilder,
    operation: &Json,
) -> Result<Content, agent_schemas::builder::BuilderError> {
    let arguments = operation.get("args").and_then(Json::as_array).unwrap_or_default();
    let text = arguments.first().and_then(Json::as_str).unwrap_or_default();
    let data = || arguments.first().and_then(Json::as_object).cloned().unwrap_or_default();
    match operation.get("op").and_then(Json::as_str).unwrap_or_default() {
        "set_text" => content.set_text(text),
        "set_refusal" => content.set_refusal(text),
        "set_image_url" => content.set_image_url(text),
        "add_text_delta" | "add_delta" => content.add_text_delta(text),
        "set_data" => content.set_data(data()),
        "add_data_delta" => content.add_data_delta(data()),
        "update_data" => content.update_data(text, arguments[1].clone()),
        other => panic!("the operation {other} is not known"),
    }
}

/// An event that a script writes explicitly.
fn raw_event(operation: &Json) -> Event {
    let mut value = operation.get("value").cloned().expect("a value");
    let object = if operation.get("op") == Some(&Json::from("raw_message")) { "message" } else { "content" };
    let fields = members(&mut value).expect("an object");
    fields.insert("object".to_owned(), Json::from(object));
    if let Some(status) = operation.get("status") {
        fields.insert("status".to_owned(), status.clone());
    }
    Event::from_slice(value.to_string().as_bytes()).expect("an event")
}

/// The events of the cases in `sse_raw.jsonl` whose handlers are not scripts.
pub(super) fn data_content(data: &Json) -> Json {
    let mut object = JsonObject::new();
    for (key, value) in data.as_object().expect("an object") {
        // Upstream's handler uses floats, and so would ours.
        let float = value.as_f64().filter(|_| !value.to_string().bytes().all(|b| b.is_ascii_digit()));
        object.insert(key.clone(), float.map_or_else(|| value.clone(), Json::from));
    }
    let event = Content::data(object);
    let mut raw = Json::from_serialize(&event).expect("a content");
    members(&mut raw).expect("an object").shift_remove("object");
    parse(&format!(r#"{{"op":"raw_content","value":{raw},"yield":true}}"#))
}

/// The request that an agent got, as an additional line of an answer.
pub(super) fn seen(request: &AgentRequest) -> Json {
    Json::from_serialize(request).expect("a request")
}
