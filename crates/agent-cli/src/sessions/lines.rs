//! Sessions as JSON lines: `{"session": …}`, then `{"message": …}` for each of its messages.

use std::io::BufRead;

use agent_schemas::api::sessions::{MessageAppend, SessionChange};
use agent_schemas::{Json, JsonObject, Message, json, object};
use agent_services::session::SessionInfo;
use anyhow::{Context, anyhow, bail};

use super::change_of;

/// How many messages are added at once.
const BATCH: usize = 100;

pub(super) fn of_session(info: &SessionInfo) -> anyhow::Result<String> {
    let session = object! {
        "id" => info.id.as_str(),
        "user_id" => info.user_id.as_str(),
        "title" => info.title.clone(),
        "metadata" => info.metadata.clone()
    };
    Ok(format!("{}\n", Json::from(object! { "session" => session })))
}

pub(super) fn of_message(message: &Message) -> anyhow::Result<String> {
    Ok(format!("{}\n", Json::from(object! { "message" => Json::from_serialize(message)? })))
}

/// The session that is being read, and its messages that are not yet added.
struct Open {
    user: String,
    id: String,
    change: Option<SessionChange>,
    messages: Vec<Message>,
}

impl Open {
    fn new(session: &JsonObject) -> anyhow::Result<Self> {
        let text = |key: &str| session.get(key).and_then(Json::as_str).map(str::to_owned);
        let needed = |key: &str| text(key).ok_or_else(|| anyhow!("the session has no {key}"));
        let metadata = session.get("metadata").and_then(Json::as_object).cloned().unwrap_or_default();
        let change = change_of(text("title"), metadata);
        Ok(Open { user: needed("user_id")?, id: needed("id")?, change, messages: Vec::new() })
    }
}

/// Reads lines from standard input and adds messages in groups; returns how many were added.
pub(super) async fn read(
    add: impl AsyncFn(&str, &str, MessageAppend, Option<SessionChange>) -> anyhow::Result<u64>,
) -> anyhow::Result<u64> {
    let mut open: Option<Open> = None;
    let mut added = 0;
    let flush = async |open: &mut Open| {
        let messages = std::mem::take(&mut open.messages);
        let append = MessageAppend { messages, skip_known: true, ..MessageAppend::default() };
        add(&open.user, &open.id, append, open.change.take()).await
    };
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let place = || format!("line {} of standard input", number + 1);
        let line = line.with_context(place)?;
        if line.trim().is_empty() {
            continue;
        }
        let json = json::parse(&line).with_context(place)?;
        if let Some(session) = json.get("session").and_then(Json::as_object) {
            if let Some(before) = &mut open {
                added += flush(before).await?;
            }
            open = Some(Open::new(session).with_context(place)?);
        } else if let Some(message) = json.get("message") {
            let Some(open) = &mut open else {
                bail!("{}: a message line needs a session line before it", place())
            };
            open.messages.push(Message::from_slice(message.to_string().as_bytes()).with_context(place)?);
            if open.messages.len() >= BATCH {
                added += flush(open).await?;
            }
        } else {
            bail!("{}: expected a session or a message", place());
        }
    }
    if let Some(last) = &mut open {
        added += flush(last).await?;
    }
    Ok(added)
}
