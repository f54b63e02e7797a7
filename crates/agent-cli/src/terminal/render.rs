//! Shows events to a person.
//!
//! Texts are shown as they grow. If several answers grow at the same time, the first is shown until it ends, so that
//! they do not interleave; tool calls and everything else are shown as lines once they are complete.

use std::collections::HashMap;
use std::io::{self, Write};

use agent_schemas::delta::append_body;
use agent_schemas::{
    AgentResponse, Content, ContentBody, ErrorBody, Event, Json, Message, MessageType, Status,
};

use super::describe;
use super::screen::Screen;

const REASONING: &str = "[reasoning] ";
const REFUSAL: &str = "[refusal] ";

/// Shows the events of one run.
#[derive(Debug, Default)]
pub(crate) struct Renderer {
    hides_reasoning: bool,
    verbose: bool,
    kinds: HashMap<String, MessageType>,
    parts: Vec<Part>,
    /// All answers before this one have been shown completely.
    next_answer: usize,
    /// Ends of messages that are shown as lines unless the run ends in the same way.
    ends: Vec<(Status, Option<ErrorBody>)>,
}

/// The current state of a content.
#[derive(Debug)]
struct Part {
    msg_id: String,
    index: i64,
    kind: MessageType,
    body: ContentBody,
    /// The number of bytes of its text that have been shown.
    shown: usize,
    is_whole: bool,
}

/// How a content is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Answer,
    Aside(&'static str),
    Line,
}

impl Part {
    fn manner(&self) -> Manner {
        match (&self.kind, &self.body) {
            (MessageType::Reasoning, ContentBody::Text { .. }) => Manner::Aside(REASONING),
            (MessageType::Message, ContentBody::Text { .. }) => Manner::Answer,
            (_, ContentBody::Refusal { .. }) => Manner::Aside(REFUSAL),
            _ => Manner::Line,
        }
    }

    fn text(&self) -> &str {
        match &self.body {
            ContentBody::Text { text: Some(text) } | ContentBody::Refusal { refusal: Some(text) } => text,
            _ => "",
        }
    }

    /// The part that has not been shown yet.
    fn rest(&self) -> &str {
        self.text().get(self.shown..).unwrap_or_default()
    }

    /// Applies an event. Returns whether text shown earlier is no longer correct.
    fn update(&mut self, content: &Content) -> bool {
        if content.delta == Some(true) {
            append_body(&mut self.body, &content.body);
            return false;
        }
        let shown = self.text().get(..self.shown).unwrap_or_default().to_owned();
        let before = std::mem::replace(&mut self.body, content.body.clone());
        if self.text().is_empty() && !shown.is_empty() {
            // The closing event does not repeat the text.
            self.body = before;
            return false;
        }
        let is_other = !self.text().starts_with(&shown);
        if is_other {
            self.shown = 0;
        }
        is_other
    }
}

impl Renderer {
    /// Shows reasoning unless it `hides` it, and long values in full if it is `verbose`.
    pub(crate) fn new(hides_reasoning: bool, verbose: bool) -> Self {
        Renderer { hides_reasoning, verbose, ..Renderer::default() }
    }

    /// Shows the next event.
    pub(crate) fn event<O: Write, E: Write>(
        &mut self,
        event: &Event,
        screen: &mut Screen<O, E>,
    ) -> io::Result<()> {
        if !matches!(event, Event::Response(response) if response.status.is_final()) {
            self.show_ends(None, screen)?;
        }
        match event {
            Event::Message(message) if message.status.is_final() => self.message(message, screen),
            Event::Message(message) => {
                self.kinds.insert(message.id.clone(), message.kind.clone());
                Ok(())
            }
            Event::Content(content) => self.content(content, screen),
            Event::Response(response) if response.status.is_final() => self.response(response, screen),
            Event::Other(json) if self.verbose => screen.note(&format!("[event] {json}")),
            _ => Ok(()),
        }
    }

    /// Ends all open lines.
    pub(crate) fn close<O: Write, E: Write>(&mut self, screen: &mut Screen<O, E>) -> io::Result<()> {
        for at in 0..self.parts.len() {
            let part = &mut self.parts[at];
            // An incomplete tool call is not shown.
            if !std::mem::replace(&mut part.is_whole, true) && part.manner() != Manner::Line {
                self.show(at, screen)?;
            }
        }
        self.show_answers(screen)?;
        self.show_ends(None, screen)?;
        screen.end_note()?;
        screen.end_answer()
    }

    fn content<O: Write, E: Write>(
        &mut self,
        content: &Content,
        screen: &mut Screen<O, E>,
    ) -> io::Result<()> {
        let (Some(msg_id), Some(index)) = (&content.msg_id, content.index) else { return Ok(()) };
        let kind = self.kinds.get(msg_id).cloned().unwrap_or(MessageType::Message);
        self.part(msg_id, index, &kind, content, screen)
    }

    /// Handles an update of a content.
    fn part<O: Write, E: Write>(
        &mut self,
        msg_id: &str,
        index: i64,
        kind: &MessageType,
        content: &Content,
        screen: &mut Screen<O, E>,
    ) -> io::Result<()> {
        let known = self.parts.iter().rposition(|part| part.index == index && part.msg_id == msg_id);
        let at = match known {
            Some(at) if self.parts[at].is_whole => return Ok(()),
            Some(at) => {
                let is_other = self.parts[at].update(content);
                if is_other && self.parts[at].manner() == Manner::Answer {
                    screen.end_answer()?;
                }
                at
            }
            None => {
                let (msg_id, kind, body) = (msg_id.to_owned(), kind.clone(), content.body.clone());
                self.parts.push(Part { msg_id, index, kind, body, shown: 0, is_whole: false });
                self.parts.len() - 1
            }
        };
        self.parts[at].is_whole = content.status.as_ref().is_some_and(Status::is_final);
        self.show(at, screen)
    }

    fn show<O: Write, E: Write>(&mut self, at: usize, screen: &mut Screen<O, E>) -> io::Result<()> {
        let part = &mut self.parts[at];
        match part.manner() {
            Manner::Answer => self.show_answers(screen),
            Manner::Aside(REASONING) if self.hides_reasoning => Ok(()),
            Manner::Aside(prefix) => {
                screen.note_part(prefix, part.rest())?;
                part.shown = part.text().len();
                if part.is_whole { screen.end_note() } else { Ok(()) }
            }
            Manner::Line if part.is_whole && part.kind != MessageType::Heartbeat => {
                let line = describe::content(&part.kind, &part.body, self.verbose);
                screen.note(&line)
            }
            Manner::Line => Ok(()),
        }
    }

    /// Shows the first answer that has not ended, and when it has, the answers after it.
    fn show_answers<O: Write, E: Write>(&mut self, screen: &mut Screen<O, E>) -> io::Result<()> {
        while let Some(part) = self.parts.get_mut(self.next_answer) {
            if part.manner() == Manner::Answer {
                screen.answer(part.rest())?;
                part.shown = part.text().len();
                if !part.is_whole {
                    return Ok(());
                }
                screen.end_answer()?;
            }
            self.next_answer += 1;
        }
        Ok(())
    }

    /// The end of a message, or a complete message at once.
    fn message<O: Write, E: Write>(
        &mut self,
        message: &Message,
        screen: &mut Screen<O, E>,
    ) -> io::Result<()> {
        self.kinds.insert(message.id.clone(), message.kind.clone());
        for (position, content) in (0..).zip(message.contents()) {
            let index = content.index.unwrap_or(position);
            let content = whole(content);
            self.part(&message.id, index, &message.kind, &content, screen)?;
        }
        if message.kind == MessageType::Error {
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            let error = ErrorBody::new(text(&message.code), text(&message.message));
            screen.line(&describe::error(&error))?;
        }
        if message.status != Status::Completed {
            self.ends.push((message.status.clone(), message.error.clone()));
        }
        Ok(())
    }

    /// The end of the run.
    fn response<O: Write, E: Write>(
        &mut self,
        response: &AgentResponse,
        screen: &mut Screen<O, E>,
    ) -> io::Result<()> {
        for message in response.messages() {
            if !self.kinds.contains_key(&message.id) {
                self.message(message, screen)?;
            }
        }
        self.show_ends(Some(response), screen)?;
        self.close(screen)?;
        match (&response.status, &response.error) {
            (Status::Completed, _) => {}
            (_, Some(error)) => screen.line(&describe::error(error))?,
            (status, None) => screen.line(&format!("(the run is {status})"))?,
        }
        for warning in response.warnings.iter().flatten() {
            screen.line(&describe::warning(warning))?;
        }
        match &response.usage {
            Some(usage) if self.verbose => screen.note(&format!("[usage] {}", Json::from(usage.clone()))),
            _ => Ok(()),
        }
    }

    /// Shows how messages ended, unless the run ended in the same way.
    fn show_ends<O: Write, E: Write>(
        &mut self,
        response: Option<&AgentResponse>,
        screen: &mut Screen<O, E>,
    ) -> io::Result<()> {
        for (status, error) in std::mem::take(&mut self.ends) {
            if response.is_some_and(|response| response.status == status && response.error == error) {
                continue;
            }
            let why = error.map(|error| format!(", {}", describe::error(&error))).unwrap_or_default();
            screen.line(&format!("(the message is {status}{why})"))?;
        }
        Ok(())
    }
}

/// A content of a message that has ended, as if by its own closing event.
fn whole(content: &Content) -> Content {
    let mut content = content.clone();
    content.delta = Some(false);
    if !content.status.as_ref().is_some_and(Status::is_final) {
        content.completed();
    }
    content
}

#[cfg(test)]
mod tests;
