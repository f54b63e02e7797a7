//! What all requests share.

use std::sync::Arc;

use agent_schemas::{JsonObject, UserId};
use agent_server::protocol::{Caller, ProtocolContext};

use crate::config::McpConfig;
use crate::state::State;

/// The application, what the configuration adds to it, and what is known of clients.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) context: ProtocolContext,
    pub(crate) config: Arc<McpConfig>,
    pub(crate) state: Arc<State>,
}

/// The user whom a request is about: its principal, or the one that it names.
pub(crate) fn user(caller: &Caller, params: &JsonObject) -> Option<UserId> {
    let named = || {
        let meta = params.get("_meta")?.as_object()?;
        meta.get("agent-server/user_id")?.as_str().filter(|user| !user.is_empty()).map(UserId::new)
    };
    caller.user().cloned().or_else(named)
}
