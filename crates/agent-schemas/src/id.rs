//! Identifiers, and where fresh ones and the time come from.

use std::fmt;
use std::sync::Arc;

/// Gives a string id a type of its own, which is cheap to clone.
macro_rules! string_id {
    ($($(#[$meta:meta])* $name:ident;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the id as it is: ids are opaque.
            pub fn new(id: impl Into<Arc<str>>) -> Self {
                $name(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

string_id! {
    /// Names one run: `run_` and at least 128 random bits, which make it the capability to read and cancel the run.
    RunId;
    /// Names a conversation of one user.
    SessionId;
    /// Names a user.
    UserId;
}

/// Where fresh ids come from. Tests replace it to get the same ids each time.
pub trait IdSource: fmt::Debug + Send + Sync {
    /// A fresh id with at least 74 random bits, in the lower-case hyphenated form of a UUID.
    fn uuid(&self) -> String;

    /// Fresh random text: 128 random bits as 32 lower-case hexadecimal digits.
    fn random(&self) -> String;

    /// The same behind the time, if the source knows it: ids that are made one after the other then stand side by side in
    /// an index, which costs a store less than ids that are strewn over it.
    fn ordered(&self) -> String {
        self.random()
    }
}

/// Where the time comes from. Tests replace it to stand still.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Whole seconds since 1970-01-01T00:00:00Z.
    fn unix_seconds(&self) -> i64;
}

/// A fresh message id: `msg_` and a UUID.
pub fn message_id(ids: &dyn IdSource) -> String {
    format!("msg_{}", ids.uuid())
}

/// A fresh response id: `response_` and a UUID.
pub fn response_id(ids: &dyn IdSource) -> String {
    format!("response_{}", ids.uuid())
}

/// A fresh tool call id in OpenAI's form: `call_` and 22 hexadecimal digits; the peer's `generate_tool_call_id`.
pub fn tool_call_id(ids: &dyn IdSource) -> String {
    prefixed_tool_call_id("call_", ids)
}

/// A fresh tool call id with another prefix than `call_`.
pub fn prefixed_tool_call_id(prefix: &str, ids: &dyn IdSource) -> String {
    let mut digits = ids.random();
    digits.truncate(22);
    format!("{prefix}{digits}")
}
