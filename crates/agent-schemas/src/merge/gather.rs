//! Events gathered into messages, in whatever mixture they come.

use indexmap::{IndexMap, IndexSet};

use super::places::Places;
use crate::content::Content;
use crate::delta::{append_body, replace};
use crate::event::Event;
use crate::id::{IdSource, message_id};
use crate::message::{Message, MessageType, Role};
use crate::response::AgentResponse;
use crate::status::Status;

/// What the events so far amount to.
#[derive(Default)]
pub(super) struct Gathered {
    /// The last response, without its output.
    response: Option<AgentResponse>,
    /// The keys of the last response's output.
    output: Option<IndexSet<String>>,
    /// The messages by id, in the order in which they came.
    messages: IndexMap<String, GatheredMessage>,
    /// The key of the message that the last event was about.
    current: String,
    closed: usize,
}

struct GatheredMessage {
    message: Message,
    /// Where its contents are.
    places: Places,
    /// Which one it was to be closed.
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

    /// The message that the last event was about.
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

    /// Takes in the messages of an output and gives their keys.
    fn push_output(&mut self, output: &[Message]) -> IndexSet<String> {
        let mut keys = IndexSet::with_capacity(output.len());
        for (position, message) in output.iter().enumerate() {
            // Without an id of its own only its position tells it from the others.
            let named = !message.id.is_empty() && !keys.contains(&message.id);
            let key = if named { message.id.clone() } else { format!("\0{position}") };
            keys.insert(key.clone());
            self.push_message(key, message);
        }
        keys
    }

    fn push_message(&mut self, key: String, told: &Message) {
        self.current.clone_from(&key);
        let gathered = self.messages.entry(key).or_insert_with(|| GatheredMessage {
            message: Message::new(told.id.clone(), told.kind.clone()),
            places: Places::default(),
            closed: None,
        });
        if told.status.is_final() && gathered.closed.is_none() {
            gathered.closed = Some(self.closed);
            self.closed += 1;
        }
        update(gathered, told);
    }

    fn push_content(&mut self, told: &Content) {
        if let Some(msg_id) = &told.msg_id {
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
        let index = told.index.unwrap_or_else(|| place_for(contents, places, told));
        place(contents, places, index, &Content { msg_id: Some(msg_id), ..told.clone() });
    }

    /// The output: what the response that ended the run says it is, else all messages, closed ones first.
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

/// Takes what an event says of a message; what it leaves null stays as it was.
fn update(gathered: &mut GatheredMessage, told: &Message) {
    let GatheredMessage { message: known, places, .. } = gathered;
    known.sequence_number = told.sequence_number;
    known.status = told.status.clone();
    known.kind = told.kind.clone();
    replace(&mut known.error, &told.error);
    replace(&mut known.role, &told.role);
    replace(&mut known.code, &told.code);
    replace(&mut known.message, &told.message);
    replace(&mut known.usage, &told.usage);
    replace(&mut known.metadata, &told.metadata);
    let Some(told) = &told.content else {
        return;
    };
    let contents = known.content.get_or_insert_default();
    if told.iter().any(|content| content.delta == Some(true)) {
        for (position, content) in told.iter().enumerate() {
            let position = i64::try_from(position).unwrap_or(i64::MAX);
            place(contents, places, content.index.unwrap_or(position), content);
        }
    } else if !told.is_empty() {
        contents.clone_from(told);
        *places = Places::of(contents);
    }
}

/// Puts a content where its index says: a delta continues what is there, any other replaces it.
fn place(contents: &mut Vec<Content>, places: &mut Places, index: i64, told: &Content) {
    let is_delta = told.delta == Some(true);
    let position = places.find(contents, index).unwrap_or(contents.len());
    match contents.get_mut(position) {
        Some(known) if is_delta && known.body.type_name() == told.body.type_name() => {
            append_body(&mut known.body, &told.body);
            known.sequence_number = told.sequence_number;
            replace(&mut known.status, &told.status);
            replace(&mut known.error, &told.error);
        }
        Some(known) if !is_delta => {
            *known = Content { index: Some(index), ..told.clone() };
            places.put(index, position);
        }
        known => {
            // A delta of another type cannot continue what is there, but it must not be lost.
            let index = if known.is_some() { places.next_index(contents) } else { index };
            places.put(index, contents.len());
            contents.push(Content { index: Some(index), delta: Some(false), ..told.clone() });
        }
    }
}

/// The index for a content that has none: a delta continues the last content, a whole one replaces it while it grows.
fn place_for(contents: &[Content], places: &Places, told: &Content) -> i64 {
    let continues = |last: &&Content| {
        let ended = last.status.as_ref().is_some_and(Status::is_final);
        last.body.type_name() == told.body.type_name() && (told.delta == Some(true) || !ended)
    };
    let last = contents.last().filter(continues);
    last.map_or_else(
        || places.next_index(contents),
        |last| last.index.unwrap_or_else(|| i64::try_from(contents.len() - 1).unwrap_or(i64::MAX)),
    )
}

/// Gives a message without an id one, and tells its contents.
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
