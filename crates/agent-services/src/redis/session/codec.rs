//! What is known of a session, as a script gives it.

use std::str::FromStr;

use ::redis::{FromRedisValue, ParsingError, Value};
use agent_schemas::{SessionId, UserId};

use crate::Result;
use crate::damage;
use crate::redis::failure::foreign;
use crate::redis::store::{decode, number, text};
use crate::session::SessionInfo;

/// Number, id, time of creation, time of change, how many messages, how many bytes, title and metadata.
#[derive(Debug)]
pub(super) struct Info(Vec<Option<Vec<u8>>>);

impl FromRedisValue for Info {
    fn from_redis_value(value: Value) -> std::result::Result<Self, ParsingError> {
        Vec::from_redis_value(value).map(Info)
    }
}

impl Info {
    pub(super) fn decode(self, operation: &'static str, user: &UserId) -> Result<SessionInfo> {
        let [Some(own_number), Some(id), created, updated, count, _, title, metadata] = &self.0[..] else {
            return Err(foreign(operation));
        };
        let id = SessionId::new(text(operation, id)?);
        let (created, updated) = (digits(operation, created), digits(operation, updated));
        let mut info = SessionInfo::new(user.clone(), id, number(operation, own_number)?, created);
        info.updated_at = updated;
        info.message_count = digits(operation, count);
        info.title = title.as_ref().map(|title| String::from_utf8_lossy(title).into_owned());
        if let Some(metadata) = metadata {
            info.metadata = damage::metadata(info.id.as_str(), decode(operation, metadata));
        }
        Ok(info)
    }
}

/// A number, or 0 if it cannot be read, which is logged.
fn digits<T: FromStr + Default>(operation: &'static str, field: &Option<Vec<u8>>) -> T {
    let read =
        field.as_deref().ok_or_else(|| foreign(operation)).and_then(|digits| number(operation, digits));
    read.unwrap_or_else(|error| {
        tracing::error!(error = %error, "a number of a session cannot be read");
        T::default()
    })
}
