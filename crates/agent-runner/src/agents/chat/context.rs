//! What the model receives in addition to the request: the session's history, and memories of the user.

use std::collections::HashSet;

use agent_schemas::{Error, Message, Role};
use agent_services::memory::{MemoryQuery, Recalled};
use agent_services::page::PageSize;

use super::config::ChatConfig;
use crate::RunHandle;
use crate::error_chain::chain;
use crate::history::{Bounds, bounded, with_missing_outputs};

/// The conversation up to the model's next answer.
#[derive(Debug)]
pub(super) struct Context {
    /// The history and the request's input.
    pub(super) messages: Vec<Message>,
    /// Memories of the user that may help, as a text for the model.
    pub(super) memories: Option<String>,
}

impl Context {
    /// Reads what the settings require. A failing store makes the turn fail, because an answer without the
    /// conversation would be worse.
    pub(super) async fn load(config: &ChatConfig, run: &RunHandle) -> Result<Self, Error> {
        let input = &run.request().input;
        let mut messages = Vec::new();
        if let Ok(size) = PageSize::new(config.history_messages) {
            let history = run.history(size).await;
            let history = history
                .map_err(|error| store_error(run, "the session's history could not be read", &error))?;
            let ids: HashSet<&str> = input.iter().map(|message| message.id.as_str()).collect();
            let earlier = history.into_iter().filter(|message| !ids.contains(message.id.as_str())).collect();
            messages = bounded(earlier, Bounds { tokens: config.history_tokens });
        }
        messages.extend(input.iter().cloned());
        // Messages completed before the process died are not generated again.
        messages.extend(run.earlier().iter().cloned());
        Ok(Context { messages: with_missing_outputs(messages), memories: recall(config, run).await? })
    }
}

async fn recall(config: &ChatConfig, run: &RunHandle) -> Result<Option<String>, Error> {
    let text = run.request().last_user_text();
    if config.recall == 0 || text.is_empty() {
        return Ok(None);
    }
    let mut query = MemoryQuery::new(text);
    query.top_k = config.recall;
    let found = run.memory().query(&query).await;
    let found =
        found.map_err(|error| store_error(run, "the user's memories could not be searched", &error))?;
    let is_readable = |recalled: &&Recalled| !recalled.memory.message.full_text().is_empty();
    let lines = found.iter().filter(is_readable).map(|recalled| {
        let message = &recalled.memory.message;
        let role = message.role.map_or("user", |role| role.as_str());
        format!("\n- {role}: {}", message.full_text())
    });
    let lines: String = lines.collect();
    Ok((!lines.is_empty()).then(|| format!("From earlier conversations with this user:{lines}")))
}

/// The error of a turn that a store failed. The store's own text is for the server's log.
pub(super) fn store_error(run: &RunHandle, what: &str, error: &agent_services::Error) -> Error {
    tracing::error!(run.id = %run.id(), error = chain(error), "{what}");
    if error.is_retryable() {
        Error::StoreUnavailable {}
    } else {
        Error::Database { message: what.to_owned() }
    }
}

/// Adds a completed turn to the user's memories. If the store fails, only the memory is lost, and that is logged.
pub(super) async fn remember(config: &ChatConfig, run: &RunHandle, answer: String) {
    if !config.remember {
        return;
    }
    let said = run.new_input().iter().filter(|message| message.role == Some(Role::User));
    let mut messages: Vec<Message> =
        said.filter(|message| !message.full_text().is_empty()).cloned().collect();
    if !answer.is_empty() {
        let mut message = Message::user(answer);
        message.role = Some(Role::Assistant);
        messages.push(message);
    }
    if let Err(error) = run.memory().add(messages).await {
        tracing::warn!(run.id = %run.id(), error = %error, "could not store a turn in the user's memories");
    }
}
