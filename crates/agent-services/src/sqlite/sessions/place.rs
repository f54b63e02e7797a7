//! The keys of messages: those of a session are adjacent, in order.

use std::ops::Range;

use crate::sqlite::statement::bounded;

/// The maximum number of messages in a session.
pub(super) const ROOM: u64 = 1 << 24;

/// The key of the message at a position, which is less than [`ROOM`].
pub(super) fn place(session: i64, position: u64) -> i64 {
    session.saturating_mul(bounded(ROOM)).saturating_add(bounded(position))
}

/// The keys of a session's messages from a position on.
pub(super) fn places(session: i64, from: u64) -> Range<i64> {
    place(session, from.min(ROOM))..place(session + 1, 0)
}

/// The position of a key in its session.
pub(super) fn position(place: i64) -> u64 {
    place.unsigned_abs() % ROOM
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places__consecutive_sessions__do_not_overlap() {
        let first = places(7, 0);
        assert_eq!(first, place(7, 0)..place(7, ROOM - 1) + 1);
        assert_eq!(first.end, places(8, 0).start);
        assert_eq!(places(7, 5).start, place(7, 5));
        assert!(places(7, ROOM).is_empty() && places(7, u64::MAX).is_empty());
        for at in [0, 1, ROOM - 1] {
            assert_eq!(position(place(7, at)), at);
        }
    }
}
