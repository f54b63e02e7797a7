//! The sequence numbers of a run's events.

use crate::event::Event;

/// Numbers events from 0 without gaps.
///
/// ```
/// use agent_schemas::{AgentResponse, Event, SequenceNumbers};
///
/// let mut numbers = SequenceNumbers::new();
/// let mut event = Event::from(AgentResponse::new("response_1", 0));
/// assert_eq!(numbers.assign(&mut event), 0);
/// assert_eq!(numbers.assign(&mut event), 1);
/// assert_eq!(event.sequence_number(), Some(1));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SequenceNumbers {
    next: i64,
}

impl SequenceNumbers {
    /// A generator whose first number is 0.
    pub fn new() -> Self {
        SequenceNumbers::default()
    }

    /// Assigns the next number to the event, replacing any that it had, and returns it.
    pub fn assign(&mut self, event: &mut Event) -> i64 {
        let number = self.take();
        event.set_sequence_number(number);
        number
    }

    /// Takes the next number, for an event that is written without being built.
    pub fn take(&mut self) -> i64 {
        let number = self.next;
        // No run has that many events; even a repeated number would be better than a panic.
        self.next = self.next.saturating_add(1);
        number
    }
}
