//! What a foreign request amounts to.

use agent_runner::OnDisconnect;
use agent_schemas::AgentRequest;
use agent_services::run::SessionPolicy;

/// A run as a foreign request orders it: what a protocol's request mapping gives.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Order {
    /// The request in our own terms. What the protocol has to know of its own request later, to echo it, is kept among
    /// its further members and so in the run's record.
    pub request: AgentRequest,
    /// Whether the run goes on whoever reads it.
    pub in_background: bool,
    /// Whether the client reads a stream. One that does not cannot come back to read on.
    pub is_stream: bool,
    /// What becomes of it when its session has a run under way; the application's policy if `None`.
    pub session_policy: Option<SessionPolicy>,
    /// What becomes of it when nobody reads it any more; the application's policy if `None`.
    pub on_disconnect: Option<OnDisconnect>,
    /// Whether what is said is left out of the session's history: for a request that brings all of its context itself.
    pub without_history: bool,
    /// Whether what comes of it is to be had for longer than its log: as long as the application keeps responses.
    pub is_kept: bool,
}

impl Order {
    /// A run of this request, in the foreground and without a stream.
    pub fn new(request: AgentRequest) -> Self {
        Order { request, ..Order::default() }
    }
}
