//! What may be stored: bounds that every backend shares.

#[cfg(feature = "redis")]
use agent_schemas::json::DEFAULT_DEPTH;

use crate::{Error, ErrorKind, Result};

/// The longest id of a user, session or batch, in bytes.
pub const MAX_ID_BYTES: usize = 16 * 1024;

/// How much one session, state or memory may hold. Whatever goes beyond is refused with a clear error, and nothing of it
/// is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreLimits {
    /// The most messages in one session.
    pub session_messages: u64,
    /// The most bytes of one message, state or metadata, as JSON text.
    pub item_bytes: usize,
    /// The most bytes of all messages of one session, as JSON text.
    pub session_bytes: u64,
}

impl Default for StoreLimits {
    /// 100,000 messages and 256 MiB a session, 8 MiB an item.
    fn default() -> Self {
        StoreLimits { session_messages: 100_000, item_bytes: 8 << 20, session_bytes: 256 << 20 }
    }
}

impl StoreLimits {
    /// Refuses an item that is too large.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`], which names the limit.
    pub fn check_item(&self, operation: &'static str, bytes: usize) -> Result<()> {
        if bytes <= self.item_bytes {
            return Ok(());
        }
        let message = format!("{bytes} bytes are more than the {} that one item may have", self.item_bytes);
        Err(Error::new(ErrorKind::InvalidInput, operation, message))
    }

    /// Refuses a session that would grow beyond its limits.
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
        let message =
            format!("the session would have {found} {what}, and {limit} is the most that it may have");
        Err(Error::new(ErrorKind::InvalidInput, operation, message))
    }
}

/// Refuses ids that are too long. Besides, an id may be anything, the empty text included.
///
/// # Errors
/// [`ErrorKind::InvalidInput`], which names the limit.
pub fn check_ids<'a>(operation: &'static str, ids: impl IntoIterator<Item = &'a str>) -> Result<()> {
    match ids.into_iter().map(str::len).find(|bytes| *bytes > MAX_ID_BYTES) {
        Some(bytes) => {
            let message = format!("an id has {bytes} bytes, and {MAX_ID_BYTES} is the most that it may have");
            Err(Error::new(ErrorKind::InvalidInput, operation, message))
        }
        None => Ok(()),
    }
}

/// Refuses JSON text that nests too deeply to be read again.
///
/// # Errors
/// [`ErrorKind::InvalidInput`], which names the limit.
#[cfg(feature = "redis")]
pub(crate) fn check_depth(operation: &'static str, json: &[u8]) -> Result<()> {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'[' | b'{' if !is_text => depth += 1,
            b']' | b'}' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEFAULT_DEPTH {
            let message =
                format!("arrays and objects stand inside each other more than {DEFAULT_DEPTH} deep");
            return Err(Error::new(ErrorKind::InvalidInput, operation, message));
        }
    }
    Ok(())
}

/// A value as JSON text.
pub(crate) fn json_bytes<T: serde::Serialize>(operation: &'static str, value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| {
        Error::new(ErrorKind::Unexpected, operation, "a value has no JSON form").with_source(error)
    })
}
