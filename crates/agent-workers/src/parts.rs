//! Writes what a worker sends for a run to the run's log.

use std::collections::HashMap;

use agent_runner::{DataWriter, MessageWriter, RunHandle, TextWriter, ToolCallWriter, ToolOutputWriter};
use agent_schemas::{Content, ErrorBody, Event, Json, JsonObject, MessageType};

use crate::frame::{Frame, Kind};
use crate::message::{self, Close, Open, RunError};

/// The open messages of a run.
pub(crate) struct Parts<'a> {
    run: &'a RunHandle,
    open: HashMap<u16, Part>,
}

enum Part {
    Message { message: MessageWriter, content: Option<OpenContent> },
    Call { call: ToolCallWriter, arguments: String },
    Output(ToolOutputWriter),
}

enum OpenContent {
    Text(TextWriter),
    Data(DataWriter),
}

impl OpenContent {
    fn complete(self) {
        match self {
            OpenContent::Text(text) => text.complete(),
            OpenContent::Data(data) => data.complete(),
        }
    }
}

impl<'a> Parts<'a> {
    pub(crate) fn new(run: &'a RunHandle) -> Self {
        Parts { run, open: HashMap::new() }
    }

    /// Does what a frame says.
    ///
    /// # Errors
    /// What is wrong with the frame.
    pub(crate) fn apply(&mut self, frame: &Frame) -> Result<(), String> {
        let invalid =
            |error: &dyn std::fmt::Display| format!("a frame of the kind {:?}: {error}", frame.kind);
        match frame.kind {
            Kind::Open => {
                let part = self.open(&message::read(frame).map_err(|error| invalid(&error))?);
                self.open.insert(frame.part, part);
                Ok(())
            }
            Kind::Text => {
                let text = std::str::from_utf8(&frame.payload).map_err(|error| invalid(&error))?;
                self.part(frame)?.write_text(text).map_err(|error| invalid(&error))
            }
            Kind::Data => {
                let data: JsonObject = message::read(frame).map_err(|error| invalid(&error))?;
                self.part(frame)?.write_data(data).map_err(|error| invalid(&error))
            }
            Kind::Put => {
                let content = message::read::<Content>(frame).map_err(|error| invalid(&error))?;
                self.part(frame)?.put(content).map_err(|error| invalid(&error))
            }
            Kind::Close => {
                let close: Close = message::read(frame).map_err(|error| invalid(&error))?;
                let part = self.open.remove(&frame.part).ok_or_else(|| unknown(frame))?;
                part.close(close);
                Ok(())
            }
            Kind::Event => {
                let event = Event::from_slice(&frame.payload).map_err(|error| invalid(&error))?;
                self.run.emit(event);
                Ok(())
            }
            _ => Err(invalid(&"it is not for a run")),
        }
    }

    fn open(&self, open: &Open) -> Part {
        if let Some(call) = &open.call {
            let writer = if call.is_clients {
                self.run.client_tool_call(&call.id, &call.name)
            } else {
                self.run.tool_call(&call.id, &call.name)
            };
            return Part::Call { call: writer, arguments: String::new() };
        }
        if let Some(output) = &open.output {
            return Part::Output(self.run.open_tool_output(&output.id, &output.name));
        }
        let message = self.run.open(MessageType::from(open.kind.as_str()), open.role);
        Part::Message { message, content: None }
    }

    fn part(&mut self, frame: &Frame) -> Result<&mut Part, String> {
        self.open.get_mut(&frame.part).ok_or_else(|| unknown(frame))
    }
}

fn unknown(frame: &Frame) -> String {
    format!("a frame of the kind {:?} names the part {}, which is not open", frame.kind, frame.part)
}

impl Part {
    fn write_text(&mut self, delta: &str) -> Result<(), &'static str> {
        match self {
            Part::Message { message, content } => {
                if !matches!(content, Some(OpenContent::Text(_))) {
                    close_content(content);
                    *content = Some(OpenContent::Text(message.text()));
                }
                if let Some(OpenContent::Text(text)) = content {
                    text.delta(delta);
                }
            }
            Part::Call { call, arguments } => {
                arguments.push_str(delta);
                call.arguments_delta(delta);
            }
            Part::Output(_) => return Err("the output of a tool is text only when it is closed"),
        }
        Ok(())
    }

    fn write_data(&mut self, delta: JsonObject) -> Result<(), &'static str> {
        match self {
            Part::Message { message, content } => {
                if !matches!(content, Some(OpenContent::Data(_))) {
                    close_content(content);
                    *content = Some(OpenContent::Data(message.data()));
                }
                if let Some(OpenContent::Data(data)) = content {
                    data.delta(delta);
                }
            }
            Part::Output(output) => output.progress(Json::Object(delta)),
            Part::Call { .. } => return Err("the arguments of a call are text"),
        }
        Ok(())
    }

    fn put(&mut self, whole: Content) -> Result<(), &'static str> {
        let Part::Message { message, content } = self else { return Err("a call has no contents") };
        close_content(content);
        message.put(whole.body);
        Ok(())
    }

    fn close(self, close: Close) {
        match self {
            Part::Message { message, content } => {
                if let Some(usage) = close.usage {
                    message.set_usage(usage);
                }
                if let Some(metadata) = close.metadata {
                    message.set_metadata(metadata);
                }
                match close.error {
                    Some(error) => message.fail(error_body(error)),
                    None => {
                        if let Some(content) = content {
                            content.complete();
                        }
                        message.complete();
                    }
                }
            }
            Part::Call { call, arguments } => {
                if let Some(usage) = close.usage {
                    call.message().set_usage(usage);
                }
                if let Some(metadata) = close.metadata {
                    call.message().set_metadata(metadata);
                }
                call.complete(arguments);
            }
            Part::Output(writer) => writer.complete(close.output.unwrap_or_default()),
        }
    }
}

fn close_content(content: &mut Option<OpenContent>) {
    if let Some(open) = content.take() {
        open.complete();
    }
}

fn error_body(error: RunError) -> ErrorBody {
    ErrorBody::new(error.code.unwrap_or_else(|| "AGENT_ERROR".to_owned()), error.message)
}
