//! Protocols that the server speaks besides its own.
//!
//! A protocol is a mapping and nothing else: what a run is, who may start one, and what becomes of it stays with the runner.
//!
//! ```text
//!  foreign request ── pure mapping ──► Order ── Server::start ──► Run ── cursor ──► Translator ──► frames, or one answer
//!         │                                                                            (pure)
//!         └── whatever goes wrong ──► ApiError ──► Failure ──► Protocol::failure: the protocol's own shape
//! ```
//!
//! To add one, implement [`Protocol`] and [`Translator`], and give it to
//! [`AgentAppBuilder::protocol`](crate::AgentAppBuilder::protocol). `crates/agent-server/examples/lines.rs` is a whole one.

mod call;
mod failure;
mod fields;
mod frames;
mod openai;
mod order;
mod server;
mod translated;

use std::fmt;

use agent_schemas::{DecodeError, ErrorBody, Event};
use axum::Router;
use axum::response::Response;

pub use call::Call;
pub use failure::Failure;
pub(crate) use failure::InShape;
pub(crate) use fields::place_of;
pub use frames::Frames;
pub(crate) use openai::OpenAi;
pub use order::Order;
pub use server::Server;

/// A protocol: its routes, and how it says that something went wrong.
pub trait Protocol: fmt::Debug + Send + Sync + 'static {
    /// Whether a path belongs to the protocol, whether there is a route or not. What goes wrong at such a path is said in
    /// the protocol's shape, be it in a handler, in a layer around it, or because there is nothing at the path.
    fn speaks_at(&self, path: &str) -> bool;

    /// The routes. Their handlers return `Result<Response, ApiError>`, and [`Server`] does most of their work.
    fn routes(&self, server: Server) -> Router;

    /// The answer that says what went wrong. Headers such as `retry-after` are added to it.
    fn failure(&self, failure: &Failure) -> Response;
}

/// Translates one run's log for one client: a state machine without input and output, clock and chance, so that every
/// process makes the same frames of the same log.
///
/// It sees a log from its beginning, as [`agent_schemas`] describes it. A client that wants to go on in the middle gets a
/// translator that is silent up to there. Only of a run that was kept for longer than its log ([`Order::is_kept`]) it may see
/// the final event alone, for [`Self::answer`].
pub trait Translator: Send + Unpin + 'static {
    /// Takes in the next event and writes what the client is to see of it. The final event has to end the client's stream.
    fn on_event(&mut self, event: &Event, frames: &mut Frames);

    /// The same for an event that is not decoded yet: who passes most of them on as they are can save the work.
    ///
    /// # Errors
    /// [`DecodeError`] if it is no event.
    fn on_entry(&mut self, json: &[u8], frames: &mut Frames) -> Result<(), DecodeError> {
        self.on_event(&Event::from_slice(json)?, frames);
        Ok(())
    }

    /// Ends the client's stream where the log cannot be read to its end. Nothing follows.
    fn on_cut(&mut self, error: &ErrorBody, frames: &mut Frames);

    /// What all events so far amount to: the answer to a client that wants no stream.
    fn answer(&self) -> Response;
}
