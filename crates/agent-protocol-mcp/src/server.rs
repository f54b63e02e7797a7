//! What all requests share.

use std::sync::Arc;

use agent_schemas::{JsonObject, UserId};
use agent_server::protocol::{Caller, ProtocolContext};

use crate::config::McpConfig;
use crate::methods::tools::{self, Tool};
use crate::state::State;

/// The application, its agents as tools, what the configuration adds, and what is known of clients.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) context: ProtocolContext,
    pub(crate) tools: Arc<[Tool]>,
    pub(crate) config: Arc<McpConfig>,
    pub(crate) state: Arc<State>,
}

impl Server {
    pub(crate) fn new(context: ProtocolContext, config: Arc<McpConfig>, state: Arc<State>) -> Self {
        // Which agents there are and how they are described never changes.
        let tools = tools::all(context.runner()).into();
        Server { context, tools, config, state }
    }
}

/// The user whom a request is about: its principal, or the one that it names.
pub(crate) fn user(caller: &Caller, params: &JsonObject) -> Option<UserId> {
    let named = || {
        let meta = params.get("_meta")?.as_object()?;
        meta.get("agent-server/user_id")?.as_str().filter(|user| !user.is_empty()).map(UserId::new)
    };
    caller.user().cloned().or_else(named)
}
