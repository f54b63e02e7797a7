//! The agents that come with the runner.

#[cfg(feature = "chat")]
pub(crate) mod chat;
mod demo;
mod echo;

#[cfg(feature = "chat")]
pub use chat::{Chat, ChatAnswer, ChatConfig, ChatError, ChatTurn, SystemRole};
pub use demo::Demo;
pub use echo::Echo;
