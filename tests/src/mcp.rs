//! The grammar of MCP, from its specification (2025-11-25 and 2026-07-28), for what clients and a server have said.
//!
//! [`check`] is a pure function over a recorded conversation and knows nothing of this project's server. It returns every
//! violation, each with the rule that it breaks.

mod client;
mod conversation;
mod headers;
mod results;
mod rpc;
mod tap;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use client::{McpAnswer, McpClient, McpStream};
pub use conversation::check;
pub use tap::Tap;

/// The two generations of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 2025-11-25: with sessions and requests of the server.
    Sessions,
    /// 2026-07-28: without.
    Stateless,
}

/// The way between client and server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Streamable HTTP.
    Http,
    /// Lines.
    Stdio,
}

/// Names in lower case, and values.
pub type Headers = Vec<(String, String)>;

/// One step of a conversation, in the order in which a witness has seen them.
#[derive(Clone, Debug)]
pub enum Step {
    /// The client has sent a message. Calls are numbered from 0 in this order.
    Sent {
        /// The message.
        message: Value,
        /// The headers of its POST.
        headers: Headers,
    },
    /// The server has answered a POST.
    Answered {
        /// Which one.
        call: usize,
        /// The HTTP status.
        status: u16,
        /// The headers.
        headers: Headers,
        /// The body, unless it is a stream.
        body: Option<Value>,
    },
    /// The server has sent a message on a stream.
    Received {
        /// The call to whose stream it belongs, or which it continues; `None` for the stream of a session, and for lines.
        call: Option<usize>,
        /// The id of the event.
        event_id: Option<String>,
        /// The message; `None` if the event has none.
        message: Option<Value>,
    },
    /// A stream has ended.
    Ended {
        /// Whose.
        call: Option<usize>,
        /// Whether the client has closed it.
        by_client: bool,
    },
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: &'static str,
    /// Where and how.
    pub text: String,
}

/// The methods of the server that a version has.
fn is_method(method: &str, version: Version) -> bool {
    let both = [
        "tools/list",
        "tools/call",
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "completion/complete",
    ];
    let own: &[&str] = match version {
        Version::Sessions => {
            &["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"]
        }
        Version::Stateless => &["server/discover", "subscriptions/listen"],
    };
    both.contains(&method) || own.contains(&method)
}
