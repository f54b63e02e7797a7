//! The part of a request that its run's record keeps.

use std::sync::LazyLock;

use agent_schemas::responses::ResponseSettings;
use agent_schemas::{Json, JsonObject, Message, ProtocolData, json, object, sse};
use agent_services::run::RunRecord;

use super::declared::DeclaredTools;

/// The protocol's name in the record.
const PROTOCOL: &str = "openai.responses";

/// The nesting limit of the data: one level more than any request.
const DATA_DEPTH: usize = 1024;

/// The members that are settings.
static SETTINGS: LazyLock<JsonObject> = LazyLock::new(|| ResponseSettings::default().to_object());

/// What is repeated to the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EchoedSettings {
    /// The settings as members of a JSON object; they are written into each response unchanged.
    pub(super) members: String,
    /// Whether the response may be retrieved later.
    pub(super) is_stored: bool,
    /// Whether it is a background response.
    pub(super) is_background: bool,
    /// Whether the ids of its items end with this response's run, so that `item_reference` finds them. Items of a
    /// conversation are found in the conversation.
    pub(super) is_referable: bool,
    /// Whether the client asks for a summary of the reasoning. Agents show the reasoning itself, which then takes the
    /// summary's place, because most clients show nothing else.
    pub(super) wants_summary: bool,
    /// The tools that the client executes.
    pub(super) declared: DeclaredTools,
}

impl EchoedSettings {
    pub(super) fn new(settings: &ResponseSettings) -> Self {
        let mut members = Vec::with_capacity(1024);
        // Writing to memory cannot fail; if it did, the response would have no settings.
        if sse::write_json(&mut members, settings).is_err() {
            members.clear();
        }
        let mut members = String::from_utf8(members).unwrap_or_default();
        // Without the braces.
        members.pop();
        members.drain(..members.len().min(1));
        EchoedSettings {
            members,
            is_stored: settings.store,
            is_background: settings.background,
            is_referable: settings.store && settings.conversation.is_none(),
            // The second name is the older one.
            wants_summary: ["summary", "generate_summary"]
                .iter()
                .any(|name| settings.reasoning.get(*name).is_some_and(|summary| !summary.is_null())),
            declared: DeclaredTools::of_objects(&settings.tools),
        }
    }

    /// Whether a member of a request is a setting.
    pub(super) fn is_setting(key: &str) -> bool {
        SETTINGS.contains_key(key)
    }

    /// What the record of a request's run keeps: the settings that the request names.
    pub(super) fn to_record(body: &JsonObject) -> ProtocolData {
        let is_setting = |(key, value): &(&String, &Json)| Self::is_setting(key) && !value.is_null();
        let named = body.iter().filter(is_setting).map(|(key, value)| (key.clone(), value.clone()));
        let data = object! { "settings" => named.collect::<JsonObject>() };
        ProtocolData::new(PROTOCOL, Json::from(data).to_string())
    }

    /// The settings in the record; for a run from another protocol, those that can be derived from it.
    pub(super) fn of(record: &RunRecord) -> Self {
        let kept = data_of(record);
        let read = kept
            .as_ref()
            .map(|data| ResponseSettings::from_request(data.as_ref()?.get("settings")?.as_object()?).ok());
        let is_unreadable = matches!(read, Some(None)) || kept.is_none() && record.damage.is_some();
        let mut settings = read.flatten().unwrap_or_default();
        if settings.model.is_empty() {
            settings.model = record.request.model.as_deref().unwrap_or(&record.agent).to_owned();
        }
        // A client that asked not to store its response must not find it.
        settings.store &= !is_unreadable;
        let mut echoed = EchoedSettings::new(&settings);
        if kept.is_none() {
            echoed.declared = DeclaredTools::of_request(record.request.tools.as_deref().unwrap_or_default());
        }
        echoed
    }
}

/// The messages of a stored request that are not from responses that it continues.
pub(super) fn new_input(record: &RunRecord) -> &[Message] {
    let before = match record.options.inherited {
        // Older versions kept the number here.
        0 => data_of(record).flatten().and_then(|data| data.get("previous")?.as_i64()).unwrap_or_default(),
        inherited => return record.request.input.get(inherited..).unwrap_or_default(),
    };
    record.request.input.get(usize::try_from(before).unwrap_or(usize::MAX)..).unwrap_or_default()
}

/// What the record keeps for this protocol, if it does; `Some(None)` if it cannot be read.
fn data_of(record: &RunRecord) -> Option<Option<Json>> {
    let kept = record.options.protocol.as_ref().filter(|kept| kept.protocol == PROTOCOL)?;
    Some(json::parse_with_depth(&kept.data, DATA_DEPTH).ok())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use agent_schemas::{AgentRequest, RunId, SessionId, UserId};

    use super::*;

    fn record(data: Option<ProtocolData>) -> RunRecord {
        let request = Arc::new(AgentRequest::new(Vec::new()));
        let (id, user, session) = (RunId::new("run_1"), UserId::new("u"), SessionId::new("s"));
        let mut record = RunRecord::new(id, user, session, "agent", 0, request);
        record.options.protocol = data;
        record
    }

    #[test]
    fn echoed_settings__stored_record__match_its_request() {
        let mut deep = Json::from(object! {});
        for _ in 0..500 {
            deep = Json::from(vec![deep]);
        }
        let format = object! { "type" => "json_schema", "name" => "n", "schema" => object! { "x" => deep } };
        let body = object! {
            "model" => "m", "store" => false, "instructions" => "be kind", "input" => "hi", "unknown" => 1,
            "text" => object! { "format" => format }
        };
        let settings = ResponseSettings::from_request(&body).expect("good settings");
        let read = EchoedSettings::of(&record(Some(EchoedSettings::to_record(&body))));
        assert_eq!(read, EchoedSettings::new(&settings));
        assert!(!read.is_stored);
    }

    #[test]
    fn echoed_settings__unreadable_record__is_not_stored() {
        let of = |data| EchoedSettings::of(&record(data)).is_stored;
        assert!(of(None), "a run of another protocol");
        assert!(of(Some(ProtocolData::new("mine", "{}"))), "another protocol's data");
        assert!(!of(Some(ProtocolData::new(PROTOCOL, "{"))));
        let mut damaged = record(None);
        damaged.damage = Some("the options: unreadable".to_owned());
        assert!(!EchoedSettings::of(&damaged).is_stored);
    }
}
