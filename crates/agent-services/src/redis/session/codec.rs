//! A session without its messages, in a script's reply.

use ::redis::{FromRedisValue, ParsingError, Value};
use agent_schemas::{JsonObject, SessionId, UserId};

use crate::Result;
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
        let [Some(own_number), Some(id), Some(created), Some(updated), Some(count), _, title, metadata] =
            &self.0[..]
        else {
            return Err(foreign(operation));
        };
        let id = SessionId::new(text(operation, id)?);
        let mut info =
            SessionInfo::new(user.clone(), id, number(operation, own_number)?, number(operation, created)?);
        info.updated_at = number(operation, updated)?;
        info.message_count = number(operation, count)?;
        info.title = title.as_ref().map(|title| text(operation, title)).transpose()?;
        info.metadata = match metadata {
            Some(metadata) => decode(operation, metadata)?,
            None => JsonObject::new(),
        };
        Ok(info)
    }
}
