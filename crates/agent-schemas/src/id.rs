//! Identifiers, and the sources of new ids and of the time.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Defines a type for a string id that is cheap to clone.
macro_rules! string_id {
    ($($(#[$meta:meta])* $name:ident;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the id unchanged: ids are opaque.
            pub fn new(id: impl Into<Arc<str>>) -> Self {
                $name(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map($name::new)
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
    /// The id of a run: `run_` and at least 128 random bits. Anyone who knows it may read and cancel the run.
    RunId;
    /// The id of a conversation of one user.
    SessionId;
    /// The id of a user.
    UserId;
}

/// Generates ids. Tests replace it to get reproducible ids.
pub trait IdSource: fmt::Debug + Send + Sync {
    /// A new id with at least 74 random bits, in the lower-case hyphenated form of a UUID.
    fn uuid(&self) -> String;

    /// New random text: 128 random bits as 32 lower-case hexadecimal digits.
    fn random(&self) -> String;

    /// The same, prefixed with the time if the source knows it. Ids created one after the other are then neighbours in
    /// an index, which costs a store less than ids scattered over it.
    fn ordered(&self) -> String {
        self.random()
    }
}

/// Provides the time. Tests replace it to stop the clock.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Whole seconds since 1970-01-01T00:00:00Z.
    fn unix_seconds(&self) -> i64;
}

/// A new message id: `msg_` and a UUID.
pub fn message_id(ids: &dyn IdSource) -> String {
    format!("msg_{}", ids.uuid())
}

/// A new response id: `response_` and a UUID.
pub fn response_id(ids: &dyn IdSource) -> String {
    format!("response_{}", ids.uuid())
}

/// A new tool call id in OpenAI's format: `call_` and 22 hexadecimal digits; upstream's `generate_tool_call_id`.
pub fn tool_call_id(ids: &dyn IdSource) -> String {
    prefixed_tool_call_id("call_", ids)
}

/// A new tool call id with a prefix other than `call_`.
pub fn prefixed_tool_call_id(prefix: &str, ids: &dyn IdSource) -> String {
    let mut digits = ids.random();
    digits.truncate(22);
    format!("{prefix}{digits}")
}
