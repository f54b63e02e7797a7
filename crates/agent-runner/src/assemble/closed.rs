//! Closed messages: their JSON, for the final response and the session.

/// A closed message.
#[derive(Clone, Debug)]
pub(crate) struct ClosedMessage {
    pub(crate) id: String,
    /// The fields of its closing event.
    pub(crate) json: Box<[u8]>,
    /// Whether it counts as output: failed messages do not.
    pub(super) is_output: bool,
    pub(super) is_incomplete: bool,
    /// Whether the work started again after it was cut off; then it is not part of the conversation.
    pub(crate) is_torn: bool,
}

/// Writes the messages that count as output, separated by commas.
pub(super) fn write_output(out: &mut Vec<u8>, closed: &[ClosedMessage]) {
    let output = closed.iter().filter(|message| message.is_output);
    for (position, message) in output.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&message.json);
    }
}
