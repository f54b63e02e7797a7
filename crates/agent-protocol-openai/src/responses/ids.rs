//! Converts ids: of responses and runs, and of items and messages.

use agent_schemas::RunId;

/// The prefix of a message's id.
const MESSAGE: &str = "msg_";

/// The prefixes of items' ids, by kind.
pub(super) const REASONING: &str = "rs_";
pub(super) const CALL: &str = "fc_";
pub(super) const CALL_OUTPUT: &str = "fco_";
pub(super) const CUSTOM_CALL: &str = "ctc_";
pub(super) const CUSTOM_CALL_OUTPUT: &str = "ctco_";
pub(super) const MCP_CALL: &str = "mcp_";
pub(super) const MCP_LIST: &str = "mcpl_";
pub(super) const MCP_APPROVAL: &str = "mcpr_";
pub(super) const IMAGE: &str = "ig_";

const ITEMS: [&str; 9] =
    [REASONING, CALL, CALL_OUTPUT, CUSTOM_CALL, CUSTOM_CALL_OUTPUT, MCP_CALL, MCP_LIST, MCP_APPROVAL, IMAGE];

pub(super) fn response_id(run: &RunId) -> String {
    let random = run.as_str().strip_prefix("run_").unwrap_or(run.as_str());
    format!("resp_{random}")
}

/// The run of a response; `None` if this is not the id of a response.
pub(super) fn run_id(response: &str) -> Option<RunId> {
    let random = response.strip_prefix("resp_").filter(|random| !random.is_empty())?;
    Some(RunId::new(format!("run_{random}")))
}

/// The id of the item for a message, or for one of its contents.
pub(super) fn item_id(prefix: &str, message: &str, index: usize) -> String {
    let random = message.strip_prefix(MESSAGE).unwrap_or(message);
    if index == 0 { format!("{prefix}{random}") } else { format!("{prefix}{random}_{index}") }
}

/// The id of the item for a whole message.
pub(super) fn message_item_id(message: &str) -> String {
    item_id(MESSAGE, message, 0)
}

/// The id of the message behind an item.
pub(super) fn message_id(item: &str) -> String {
    let random = ITEMS.iter().find_map(|prefix| item.strip_prefix(prefix));
    random.map_or_else(|| item.to_owned(), |random| format!("{MESSAGE}{random}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids__round_trip() {
        assert_eq!(run_id(&response_id(&RunId::new("run_ab12"))), Some(RunId::new("run_ab12")));
        assert_eq!((run_id("resp_"), run_id("run_ab"), run_id("chatcmpl_1")), (None, None, None));
        for prefix in ITEMS {
            assert_eq!(message_id(&item_id(prefix, "msg_7", 0)), "msg_7", "{prefix}");
        }
        assert_eq!((message_id("msg_7"), message_id("mine")), ("msg_7".to_owned(), "mine".to_owned()));
        assert_eq!(item_id(CALL, "msg_7", 1), "fc_7_1");
    }
}
