//! The agents that come with the runner.

mod demo;
mod echo;

pub use demo::Demo;
pub use echo::Echo;
