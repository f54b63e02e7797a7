//! The conversation so far. Each request repeats it, because not every server keeps sessions; those that do recognize
//! the messages by their ids.

use std::collections::VecDeque;

use agent_schemas::{AgentRequest, Content, ContentBody, Fold, Json, Message, MessageType, Role};

/// The maximum number of turns that a request repeats.
const MAX_TURNS: usize = 100;

/// The maximum size of the text that a request repeats, in bytes.
const MAX_BYTES: usize = 512 * 1024;

/// A conversation with an agent.
#[derive(Debug)]
pub(super) struct Conversation {
    session_id: String,
    user_id: Option<String>,
    model: Option<String>,
    turns: VecDeque<Turn>,
}

#[derive(Debug)]
struct Turn {
    messages: Vec<Message>,
    bytes: usize,
}

impl Conversation {
    /// An empty conversation; without a session id it gets a new one.
    pub(super) fn new(session_id: Option<String>, user_id: Option<String>, model: Option<String>) -> Self {
        let session_id = session_id.unwrap_or_else(fresh_session_id);
        Conversation { session_id, user_id, model, turns: VecDeque::new() }
    }

    /// The id that the server receives.
    pub(super) fn session_id(&self) -> &str {
        &self.session_id
    }

    /// Discards the messages and continues under a new id.
    pub(super) fn restart(&mut self) {
        self.turns.clear();
        self.session_id = fresh_session_id();
    }

    /// The request with this text as the next message.
    pub(super) fn request(&self, text: &str) -> AgentRequest {
        let before = self.turns.iter().flat_map(|turn| &turn.messages).cloned();
        let mut said = Message::user(text);
        said.id = format!("msg_{}", uuid::Uuid::new_v4());
        let mut request = AgentRequest::new(before.chain([said]).collect());
        request.session_id = Some(self.session_id.clone());
        request.user_id.clone_from(&self.user_id);
        request.model.clone_from(&self.model);
        // A server may be configured to continue runs whose clients disconnect, but this client cancels runs by
        // disconnecting.
        request.extra.insert("on_disconnect".to_owned(), Json::from("cancel"));
        request
    }

    /// Adds the user's message, which is the last one of the request, and as much of the answer as arrived.
    pub(super) fn add(&mut self, said: Option<Message>, answer: &Fold) {
        let response = answer.response();
        let whole = response.as_ref().filter(|response| response.output.is_some());
        let output = whole.map_or_else(|| answer.output(), |response| response.messages().to_vec());
        let answered = output.iter().chain(answer.open_messages()).filter_map(as_said);
        let messages: Vec<Message> = said.into_iter().chain(answered).collect();
        let bytes = messages.iter().flat_map(Message::contents).map(size).sum();
        self.turns.push_back(Turn { messages, bytes });
        while self.turns.len() > MAX_TURNS
            || self.turns.iter().map(|turn| turn.bytes).sum::<usize>() > MAX_BYTES
        {
            self.turns.pop_front();
        }
    }
}

fn fresh_session_id() -> String {
    format!("session_{}", uuid::Uuid::new_v4().simple())
}

/// The text of an agent's message. Reasoning and tool calls are not repeated.
fn as_said(message: &Message) -> Option<Message> {
    if message.kind != MessageType::Message || !matches!(message.role, None | Some(Role::Assistant)) {
        return None;
    }
    let is_said =
        |body: &&ContentBody| matches!(body, ContentBody::Text { .. } | ContentBody::Refusal { .. });
    let bodies = message.contents().iter().map(|content| &content.body).filter(is_said);
    let contents: Vec<Content> = bodies.map(|body| Content::new(body.clone())).collect();
    let mut said = Message::new(message.id.clone(), MessageType::Message);
    said.role = Some(Role::Assistant);
    said.content = Some(contents).filter(|contents| !contents.is_empty());
    said.content.is_some().then_some(said)
}

fn size(content: &Content) -> usize {
    match &content.body {
        ContentBody::Text { text: Some(text) } | ContentBody::Refusal { refusal: Some(text) } => text.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use agent_schemas::Event;

    use super::*;

    fn fold(events: &[&str]) -> Fold {
        let mut fold = Fold::new();
        for json in events {
            fold.push(&Event::from_slice(json.as_bytes()).expect(json));
        }
        fold
    }

    fn said(conversation: &Conversation) -> Vec<String> {
        let input = conversation.request("next").input;
        input
            .iter()
            .map(|message| format!("{:?} {}", message.role.expect("a role"), message.full_text()))
            .collect()
    }

    #[test]
    fn request__later_turn__repeats_the_conversation() {
        let mut conversation = Conversation::new(Some("s".into()), Some("u".into()), Some("m".into()));
        conversation.add(
            Some(Message::user("one")),
            &fold(&[
                r#"{"object":"message","id":"r","type":"reasoning","status":"completed","content":[{"type":"text","text":"hm"}]}"#,
                r#"{"object":"message","id":"a","type":"message","role":"assistant","status":"completed","content":[{"type":"text","text":"two","index":0,"msg_id":"a"},{"type":"image","image_url":"data:,x"}]}"#,
                r#"{"object":"response","status":"completed"}"#,
            ]),
        );
        // A run that was cancelled in the middle.
        conversation.add(
            Some(Message::user("three")),
            &fold(&[
                r#"{"object":"message","id":"b","type":"message","role":"assistant","status":"in_progress"}"#,
                r#"{"object":"content","type":"text","delta":true,"msg_id":"b","index":0,"text":"fo"}"#,
            ]),
        );
        assert_eq!(
            said(&conversation),
            ["User one", "Assistant two", "User three", "Assistant fo", "User next"]
        );
        let request = conversation.request("next");
        let content = &request.input[1].contents()[0];
        assert_eq!((content.index, content.msg_id.as_deref()), (None, None));
        assert_eq!(
            (request.session_id.as_deref(), request.user_id.as_deref(), request.model.as_deref()),
            (Some("s"), Some("u"), Some("m"))
        );
        assert!(request.stream);
        conversation.restart();
        assert_eq!(said(&conversation), ["User next"]);
        assert_ne!(conversation.session_id(), "s");
    }

    #[test]
    fn request__long_conversation__drops_oldest_turns() {
        let mut conversation = Conversation::new(None, None, None);
        for turn in 0..MAX_TURNS + 5 {
            conversation.add(Some(Message::user(turn.to_string())), &Fold::new());
        }
        assert_eq!(said(&conversation).len(), MAX_TURNS + 1);
        assert_eq!(said(&conversation)[0], "User 5");
        conversation.add(Some(Message::user("x".repeat(MAX_BYTES))), &Fold::new());
        assert_eq!(said(&conversation).len(), 2);
        conversation.add(Some(Message::user("short")), &Fold::new());
        assert_eq!(said(&conversation), ["User short", "User next"]);
    }
}
