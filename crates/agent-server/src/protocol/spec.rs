//! The result of mapping a foreign request.

use agent_runner::RunContext;
use agent_schemas::{AgentRequest, RunOptions};

/// The run that a foreign request describes: the result of a protocol's request mapping.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunSpec {
    /// The request in native terms.
    pub request: AgentRequest,
    /// The options of the run. Store the part of the protocol's own request that it needs later in
    /// [`protocol`](RunOptions::protocol).
    pub options: RunOptions,
    /// The context that precedes the request's input, if the run continues another one; from
    /// [`Runner::context`]. The store keeps each of its messages once.
    ///
    /// [`Runner::context`]: agent_runner::Runner::context
    pub context: Option<RunContext>,
    /// Whether the client reads a stream that it can resume. Without one, a run that is cancelled on disconnect is
    /// cancelled at once.
    pub is_stream: bool,
}

impl RunSpec {
    /// A run of this request without a stream. Start with the options of [`ProtocolContext::run_options`].
    ///
    /// [`ProtocolContext::run_options`]: super::ProtocolContext::run_options
    pub fn new(request: AgentRequest, options: RunOptions) -> Self {
        RunSpec { request, options, context: None, is_stream: false }
    }
}
