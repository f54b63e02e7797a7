//! The agents that come with the runner.

mod echo;

pub use echo::Echo;
