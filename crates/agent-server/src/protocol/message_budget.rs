//! Messages of a connection that stays open, such as a WebSocket, under the limits of requests.

use std::fmt;
use std::sync::Arc;

use agent_runner::{ByteBudget, Reservation};

use crate::error::ApiError;
use crate::extract::reserve_for_parsing;
use crate::lifecycle::ConnectionState;

/// What the messages of one connection may take in memory. They count as bodies, from their first bytes on: if there is no
/// memory for a message that is arriving, reading it fails.
pub struct MessageBudget {
    connection: Option<Arc<ConnectionState>>,
    bodies: ByteBudget,
}

impl MessageBudget {
    pub(crate) fn new(connection: Option<Arc<ConnectionState>>, bodies: ByteBudget) -> Self {
        if let Some(connection) = &connection {
            connection.meter();
        }
        MessageBudget { connection, bodies }
    }

    /// Notes that a control frame has arrived, which may be inside of a message, with this many bytes, its header included.
    pub fn note_control(&self, bytes: usize) {
        if let Some(connection) = &self.connection {
            connection.settle_some(bytes);
        }
    }

    /// Notes that a message has arrived, whatever becomes of it.
    pub fn note_arrived(&self) {
        if let Some(connection) = &self.connection {
            connection.settle();
        }
    }

    /// Reserves memory for a message and what it is parsed to, until the result is dropped.
    ///
    /// # Errors
    /// [`ApiError`] if there is not enough.
    pub fn reserve(&self, text: &str) -> Result<Reservation, ApiError> {
        let mut memory = self.bodies.reservation();
        reserve_for_parsing(text.as_bytes(), &mut memory)?;
        Ok(memory)
    }

    /// Why reading failed, if it was because there was no memory for the message.
    pub fn refusal(&self) -> Option<ApiError> {
        let is_refused = self.connection.as_ref().is_some_and(|connection| connection.is_refused());
        is_refused.then(|| ApiError::NoRoomForBody { limit: self.bodies.limit() })
    }
}

impl fmt::Debug for MessageBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageBudget").field("bodies", &self.bodies).finish_non_exhaustive()
    }
}
