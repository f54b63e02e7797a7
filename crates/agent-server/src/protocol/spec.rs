//! What a foreign request amounts to.

use agent_schemas::{AgentRequest, RunOptions};

/// A run as a foreign request wants it: what a protocol's request mapping gives.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunSpec {
    /// The request in the server's own terms.
    pub request: AgentRequest,
    /// How the run is to be treated. What the protocol needs of its own request later is kept as
    /// [`protocol`](RunOptions::protocol).
    pub options: RunOptions,
    /// Whether the client reads a stream that it can resume. The run of another client that disconnects is cancelled at
    /// once, if it is to be cancelled at all.
    pub is_stream: bool,
}

impl RunSpec {
    /// A run of this request without a stream. The options to begin with are [`ProtocolContext::run_options`].
    ///
    /// [`ProtocolContext::run_options`]: super::ProtocolContext::run_options
    pub fn new(request: AgentRequest, options: RunOptions) -> Self {
        RunSpec { request, options, is_stream: false }
    }
}
