//! The interface for protocols other than the server's own.
//!
//! A protocol is only a mapping. The runner decides what a run is, who may start one, and what happens to it.
//!
//! ```text
//!  foreign request ── pure mapping ──► RunSpec ── ProtocolContext::start ──► Run ── cursor ──► Translator ──► frames, or one answer
//!         │                                                                                      (pure)
//!         └── any error ──► ApiError ──► ErrorInfo ──► Protocol::error_response: the protocol's own format
//! ```
//!
//! To add one, implement [`Protocol`] and [`Translator`], and pass it to
//! [`AgentAppBuilder::protocol`](crate::AgentAppBuilder::protocol). `crates/agent-server/examples/lines.rs` is a
//! complete one, and the crate `agent-protocol-openai` uses only this module.

mod context;
mod delta_frame;
mod error_format;
mod event_head;
mod fields;
mod frame_writer;
mod message_budget;
mod openapi;
mod spec;
mod stream;
mod text_delta;
mod translation;
mod translator;

use std::fmt;

use axum::Router;
use axum::http::HeaderName;
use axum::response::Response;

pub use context::ProtocolContext;
pub use delta_frame::DeltaFrame;
pub(crate) use error_format::ErrorFormatLayer;
pub use fields::Fields;
pub use frame_writer::FrameWriter;
pub use message_budget::MessageBudget;
pub use openapi::{Endpoint, OpenApiPart};
pub use spec::RunSpec;
pub use text_delta::{EscapedText, TextDelta, TextKind};
pub use translation::Translation;
pub use translator::Translator;

pub use crate::error::{ApiError, ErrorInfo};
pub use crate::extract::{Caller, IDEMPOTENCY_KEY, JsonRequest, PathId, Principal, QueryParams};

/// A protocol: its routes, how it reports errors, and how it describes itself.
pub trait Protocol: fmt::Debug + Send + Sync + 'static {
    /// Whether a path belongs to the protocol, with or without a route. Errors at such a path have the protocol's format,
    /// whether they come from a handler, from a layer around it, or because no route matches.
    fn owns_path(&self, path: &str) -> bool;

    /// The routes. Their handlers return `Result<_, ApiError>`, use the extractors of this module, and leave most of
    /// their work to the [`ProtocolContext`].
    fn routes(&self, context: ProtocolContext) -> Router;

    /// The response that reports an error. Headers such as `retry-after` are added to it.
    fn error_response(&self, error: &ErrorInfo) -> Response;

    /// Headers of responses that web pages may read.
    fn exposed_headers(&self) -> Vec<HeaderName> {
        Vec::new()
    }

    /// The endpoints that `GET /` lists.
    fn endpoints(&self) -> Vec<Endpoint>;

    /// The protocol's part of `GET /openapi.json`.
    fn openapi(&self) -> OpenApiPart;
}
