//! Converts ids: of responses and runs, and of items and messages.
//!
//! An item's id is that of its message with another prefix. The items of a stored response also have the digits of
//! their run at the end, so that an `item_reference` leads to the run without an index of all items.

use agent_schemas::RunId;
use agent_services::run::may_exist;

/// The prefix of a run's id.
const RUN: &str = "run_";

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
    let random = run.as_str().strip_prefix(RUN).unwrap_or(run.as_str());
    format!("resp_{random}")
}

/// The run of a response; `None` if this is not the id of a response.
pub(super) fn run_id(response: &str) -> Option<RunId> {
    let random = response.strip_prefix("resp_").filter(|random| !random.is_empty())?;
    Some(RunId::new(format!("{RUN}{random}")))
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

/// The end of the ids of a run's items.
pub(super) fn locator(run: &RunId) -> Option<String> {
    may_exist(run).then(|| format!("_{}", run.as_str().trim_start_matches(RUN)))
}

/// The run that an item is from, if its id says so, and the rest of the id.
pub(in super::super) fn locate(item: &str) -> (&str, Option<RunId>) {
    let located = item.rsplit_once('_').map(|(rest, digits)| (rest, RunId::new(format!("{RUN}{digits}"))));
    match located {
        Some((rest, run)) if may_exist(&run) => (rest, Some(run)),
        _ => (item, None),
    }
}

/// The id of the message behind an item.
pub(super) fn message_id(item: &str) -> String {
    let (item, _) = locate(item);
    let random = ITEMS.iter().find_map(|prefix| item.strip_prefix(prefix));
    random.map_or_else(|| item.to_owned(), |random| format!("{MESSAGE}{random}"))
}

#[cfg(test)]
mod tests {
    use agent_schemas::UserId;
    use agent_services::clock::SystemIds;
    use agent_services::run::fresh_id;

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

    #[test]
    fn item__of_a_run__leads_to_it() {
        let run = fresh_id(&SystemIds, &UserId::new("ann"));
        let item = item_id(REASONING, "msg_a-b", 0) + &locator(&run).expect("an id of ours");
        assert_eq!(locate(&item), ("rs_a-b", Some(run)));
        assert_eq!(message_id(&item), "msg_a-b");
        assert_eq!(locator(&RunId::new("run_other")), None);
        for other in ["rs_a-b", "msg_7_1", "", "_", "fc_0123456789abcdef0123456789abcdef01234567"] {
            assert_eq!(locate(other), (other, None));
        }
    }
}
