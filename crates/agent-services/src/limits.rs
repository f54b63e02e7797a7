//! What may be stored: bounds that every backend shares.

use agent_schemas::json::DEFAULT_DEPTH;
use memchr::{memchr2, memchr2_iter};
use serde::Serialize;

use crate::{Error, ErrorKind, Result};

/// The longest id of a user, session or batch, in bytes.
pub const MAX_ID_BYTES: usize = 16 * 1024;

/// How much one session, state or memory may hold. Anything beyond the limit is rejected with a clear error and not
/// stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreLimits {
    /// The maximum number of messages in a session.
    pub session_messages: u64,
    /// The maximum size of one message, state or metadata, in bytes of JSON text.
    pub item_bytes: usize,
    /// The maximum size of all messages of a session, in bytes of JSON text.
    pub session_bytes: u64,
}

impl Default for StoreLimits {
    /// 100,000 messages and 256 MiB per session, 40 MiB per item: more than the server's default limit of a body, so that
    /// each message that arrives fits into its session.
    fn default() -> Self {
        StoreLimits { session_messages: 100_000, item_bytes: 40 << 20, session_bytes: 256 << 20 }
    }
}

impl StoreLimits {
    /// Rejects an item that is too large.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`], which names the limit.
    pub fn check_item(&self, operation: &'static str, bytes: usize) -> Result<()> {
        if bytes <= self.item_bytes {
            return Ok(());
        }
        let message =
            format!("the item has {bytes} bytes, and the limit is {} (services.item_bytes)", self.item_bytes);
        Err(Error::new(ErrorKind::InvalidInput, operation, message))
    }

    /// Rejects a session that would grow beyond its limits.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`], which names the limit.
    pub fn check_session(&self, operation: &'static str, messages: u64, bytes: u64) -> Result<()> {
        let (what, found, limit) = if messages > self.session_messages {
            ("messages", messages, self.session_messages)
        } else if bytes > self.session_bytes {
            ("bytes", bytes, self.session_bytes)
        } else {
            return Ok(());
        };
        let message = format!(
            "the session would have {found} {what}, and the limit is {limit} \
             (services.session_{what})"
        );
        Err(Error::new(ErrorKind::InvalidInput, operation, message))
    }
}

/// Rejects ids that are too long. Otherwise an id may be any string, including the empty one.
///
/// # Errors
/// [`ErrorKind::InvalidInput`], which names the limit.
pub fn check_ids<'a>(operation: &'static str, ids: impl IntoIterator<Item = &'a str>) -> Result<()> {
    match ids.into_iter().map(str::len).find(|bytes| *bytes > MAX_ID_BYTES) {
        Some(bytes) => {
            let message = format!("an id has {bytes} bytes; the limit is {MAX_ID_BYTES}");
            Err(Error::new(ErrorKind::InvalidInput, operation, message))
        }
        None => Ok(()),
    }
}

/// Rejects JSON text that is nested too deeply to be read again: parsers limit the nesting, serializers do not.
///
/// # Errors
/// [`ErrorKind::InvalidInput`], which names the limit.
pub(crate) fn check_depth(operation: &'static str, json: &[u8]) -> Result<()> {
    // Text with few brackets, in strings or not, cannot be nested deeply. This quick check covers most texts.
    if memchr2_iter(b'[', b'{', json).nth(DEFAULT_DEPTH).is_none() {
        return Ok(());
    }
    let (mut depth, mut rest) = (0_usize, json);
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        match first {
            b'"' => rest = behind_string(others),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEFAULT_DEPTH {
            let message = format!("arrays and objects are nested more than {DEFAULT_DEPTH} levels deep");
            return Err(Error::new(ErrorKind::InvalidInput, operation, message));
        }
    }
    Ok(())
}

/// What follows a JSON string, given the text after its opening quote. Most of a message is inside strings.
fn behind_string(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr2(b'"', b'\\', rest) {
        let is_escape = rest[at] == b'\\';
        rest = rest.get(at + 1 + usize::from(is_escape)..).unwrap_or_default();
        if !is_escape {
            return rest;
        }
    }
    &[]
}

/// A value as JSON text that can be read again.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] if it is nested too deeply.
pub(crate) fn json_text<T: Serialize>(operation: &'static str, value: &T) -> Result<String> {
    let text = serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::Unexpected, operation, "a value has no JSON form").with_source(error)
    })?;
    check_depth(operation, text.as_bytes())?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use agent_schemas::json;

    use super::*;

    #[test]
    fn check_depth__brackets_in_strings__are_not_counted() {
        for inside in ["1", r#""[[{""#, r#""\"[[""#, r#"{"[":["]\\"]}"#, "[[],[[]],{}]"] {
            for levels in 100..140 {
                let text = format!("{}{inside}{}", "[".repeat(levels), "]".repeat(levels));
                let is_good = check_depth("test", text.as_bytes()).is_ok();
                assert_eq!(is_good, json::parse(&text).is_ok(), "{levels} levels around {inside}");
            }
        }
    }
}
