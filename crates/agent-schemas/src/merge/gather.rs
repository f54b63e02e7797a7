//! Collects events into messages, in whatever mixture they arrive.

use indexmap::{IndexMap, IndexSet};

use super::places::Places;
use crate::content::Content;
use crate::delta::{append_body, replace};
use crate::event::Event;
use crate::id::{IdSource, message_id};
use crate::message::{Message, MessageType, Role};
use crate::response::AgentResponse;
use crate::status::Status;

/// The state after the events so far.
#[derive(Default)]
pub(super) struct Gathered {
    /// The last response, without its output.
    response: Option<AgentResponse>,
    /// The keys of the last response's output.
    output: Option<IndexSet<String>>,
    /// The messages by id, in order of arrival.
    messages: IndexMap<String, GatheredMessage>,
    /// The key of the message that the last event belonged to.
    current: String,
    closed: usize,
}

struct GatheredMessage {
    message: Message,
    /// The positions of its contents.
    places: Places,
    /// Its rank in closing order.
    closed: Option<usize>,
}

impl Gathered {
    pub(super) fn from_events(events: &[Event]) -> Self {
        let mut gathered = Gathered::default();
        events.iter().for_each(|event| gathered.push(event));
        gathered
    }

    /// The last response, without its output.
    pub(super) fn take_response(&mut self) -> Option<AgentResponse> {
        self.response.take()
    }

    pub(super) fn messages(&mut self) -> impl Iterator<Item = &mut Message> {
        self.messages.values_mut().map(|gathered| &mut gathered.message)
    }

    /// The message that the last event belonged to.
    pub(super) fn into_current(mut self) -> Option<Message> {
        self.messages.swap_remove(&self.current).map(|gathered| gathered.message)
    }

    fn push(&mut self, event: &Event) {
        match event {
            Event::Response(response) => self.push_response(response),
            Event::Message(message) => self.push_message(message.id.clone(), message),
            Event::Content(content) => self.push_content(content),
            Event::Other(_) => {}
        }
    }

    fn push_response(&mut self, response: &AgentResponse) {
        let mut response = response.clone();
        self.output = response.output.take().map(|output| self.push_output(&output));
        if let Some(known) = self.response.take() {
            response.error = response.error.or(known.error);
            response.usage = response.usage.or(known.usage);
        }
        self.response = Some(response);
    }

    /// Adds the messages of an output and returns their keys.
    fn push_output(&mut self, output: &[Message]) -> IndexSet<String> {
        let mut keys = IndexSet::with_capacity(output.len());
        for (position, message) in output.iter().enumerate() {
            // Without an id, only the position distinguishes it from the others.
            let named = !message.id.is_empty() && !keys.contains(&message.id);
            let key = if named { message.id.clone() } else { format!("\0{position}") };
            keys.insert(key.clone());
            self.push_message(key, message);
        }
        keys
    }

    fn push_message(&mut self, key: String, incoming: &Message) {
        self.current.clone_from(&key);
        let gathered = self.messages.entry(key).or_insert_with(|| GatheredMessage {
            message: Message::new(incoming.id.clone(), incoming.kind.clone()),
            places: Places::default(),
            closed: None,
        });
        if incoming.status.is_final() && gathered.closed.is_none() {
            gathered.closed = Some(self.closed);
            self.closed += 1;
        }
        update(gathered, incoming);
    }

    fn push_content(&mut self, incoming: &Content) {
        if let Some(msg_id) = &incoming.msg_id {
            self.current.clone_from(msg_id);
        }
        let key = self.current.clone();
        let gathered = self.messages.entry(key.clone()).or_insert_with(|| {
            let mut message = Message::new(key, MessageType::Message);
            message.in_progress();
            message.role = Some(Role::Assistant);
            GatheredMessage { message, places: Places::default(), closed: None }
        });
        let msg_id = gathered.message.id.clone();
        let contents = gathered.message.content.get_or_insert_default();
        let places = &mut gathered.places;
        let index = incoming.index.unwrap_or_else(|| place_for(contents, places, incoming));
        place(contents, places, index, &Content { msg_id: Some(msg_id), ..incoming.clone() });
    }

    /// The output: that of the response that ended the run, otherwise all messages, closed ones first.
    pub(super) fn into_output(mut self, ended: bool, ids: &dyn IdSource) -> Option<Vec<Message>> {
        let own = self.output.as_ref().filter(|keys| ended && !keys.is_empty());
        let mut messages: Vec<GatheredMessage> = match own {
            Some(keys) => keys.iter().filter_map(|key| self.messages.swap_remove(key)).collect(),
            None => {
                let mut all: Vec<_> = self.messages.into_values().collect();
                all.sort_by_key(|gathered| gathered.closed.unwrap_or(usize::MAX));
                all
            }
        };
        messages.iter_mut().for_each(|gathered| name(&mut gathered.message, ids));
        let output: Vec<_> = messages.into_iter().map(|gathered| gathered.message).collect();
        (self.output.is_some() || !output.is_empty()).then_some(output)
    }
}

/// Updates a message from an event. Null fields stay unchanged.
fn update(gathered: &mut GatheredMessage, incoming: &Message) {
    let GatheredMessage { message: known, places, .. } = gathered;
    known.sequence_number = incoming.sequence_number;
    known.status = incoming.status.clone();
    known.kind = incoming.kind.clone();
    replace(&mut known.error, &incoming.error);
    replace(&mut known.role, &incoming.role);
    replace(&mut known.code, &incoming.code);
    replace(&mut known.message, &incoming.message);
    replace(&mut known.usage, &incoming.usage);
    replace(&mut known.metadata, &incoming.metadata);
    let Some(incoming) = &incoming.content else {
        return;
    };
    let contents = known.content.get_or_insert_default();
    if incoming.iter().any(|content| content.delta == Some(true)) {
        for (position, content) in incoming.iter().enumerate() {
            let position = i64::try_from(position).unwrap_or(i64::MAX);
            place(contents, places, content.index.unwrap_or(position), content);
        }
    } else if !incoming.is_empty() {
        contents.clone_from(incoming);
        *places = Places::of(contents);
    }
}

/// Places a content at its index: a delta extends the existing content, any other replaces it.
fn place(contents: &mut Vec<Content>, places: &mut Places, index: i64, incoming: &Content) {
    let is_delta = incoming.delta == Some(true);
    let position = places.find(contents, index).unwrap_or(contents.len());
    match contents.get_mut(position) {
        Some(known) if is_delta && known.body.type_name() == incoming.body.type_name() => {
            append_body(&mut known.body, &incoming.body);
            known.sequence_number = incoming.sequence_number;
            replace(&mut known.status, &incoming.status);
            replace(&mut known.error, &incoming.error);
        }
        Some(known) if !is_delta => {
            *known = Content { index: Some(index), ..incoming.clone() };
            places.put(index, position);
        }
        known => {
            // A delta of another type cannot extend the existing content, but must not be lost.
            let index = if known.is_some() { places.next_index(contents) } else { index };
            places.put(index, contents.len());
            contents.push(Content { index: Some(index), delta: Some(false), ..incoming.clone() });
        }
    }
}

/// The index for a content without one: a delta extends the last content; a whole one replaces it while it grows.
fn place_for(contents: &[Content], places: &Places, incoming: &Content) -> i64 {
    let continues = |last: &&Content| {
        let ended = last.status.as_ref().is_some_and(Status::is_final);
        last.body.type_name() == incoming.body.type_name() && (incoming.delta == Some(true) || !ended)
    };
    let last = contents.last().filter(continues);
    last.map_or_else(
        || places.next_index(contents),
        |last| last.index.unwrap_or_else(|| i64::try_from(contents.len() - 1).unwrap_or(i64::MAX)),
    )
}

/// Gives a message without an id a new one, and sets it in its contents.
pub(super) fn name(message: &mut Message, ids: &dyn IdSource) {
    if message.id.is_empty() {
        message.id = message_id(ids);
        for content in message.content.iter_mut().flatten() {
            if content.msg_id.as_deref() == Some("") {
                content.msg_id = Some(message.id.clone());
            }
        }
    }
}
