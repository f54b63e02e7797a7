//! Messages of a connection that stays open, such as a WebSocket, under the limits of requests.

use std::fmt;
use std::sync::Arc;

use agent_runner::{ByteBudget, Reservation};

use crate::error::ApiError;
use crate::extract::reserve_for_parsing;
use crate::lifecycle::ConnectionState;

/// The memory budget for the messages of one connection. They count as bodies from their first byte on: if there is
/// no memory for an arriving message, reading it fails.
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

    /// Records that a control frame of this many bytes, including its header, has arrived, possibly in the middle of a
    /// message.
    pub fn note_control(&self, bytes: usize) {
        if let Some(connection) = &self.connection {
            connection.settle_some(bytes);
        }
    }

    /// Records that a message has arrived, whatever happens to it.
    pub fn note_arrived(&self) {
        if let Some(connection) = &self.connection {
            connection.settle();
        }
    }

    /// Reserves memory for a message and its parsed value until the result is dropped.
    ///
    /// # Errors
    /// [`ApiError`] if there is not enough.
    pub fn reserve(&self, text: &str) -> Result<Reservation, ApiError> {
        let mut memory = self.bodies.reservation();
        reserve_for_parsing(text.as_bytes(), &mut memory)?;
        Ok(memory)
    }

    /// The error, if reading failed because there was no memory for the message.
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
