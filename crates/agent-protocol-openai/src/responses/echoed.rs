//! The part of a request that its run's record keeps.

use std::sync::LazyLock;

use agent_schemas::responses::ResponseSettings;
use agent_schemas::{Json, JsonObject, ProtocolData, json, object, sse};
use agent_services::run::RunRecord;

/// The protocol's name in the record.
const PROTOCOL: &str = "openai.responses";

/// How deep the data may nest: a level more than any request may.
const DATA_DEPTH: usize = 1024;

/// The members that are settings.
static SETTINGS: LazyLock<JsonObject> = LazyLock::new(|| ResponseSettings::default().to_object());

/// What is repeated to the client, and which part of the input was its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EchoedSettings {
    /// The settings as members of a JSON object: they are written into each response as they are.
    pub(super) members: String,
    /// How many messages of the input come from the response that this one continues.
    pub(super) previous: usize,
    /// Whether the response may be retrieved later.
    pub(super) is_stored: bool,
    /// Whether it is a background response.
    pub(super) is_background: bool,
}

impl EchoedSettings {
    pub(super) fn new(settings: &ResponseSettings, previous: usize) -> Self {
        let mut members = Vec::with_capacity(1024);
        // Writing into memory cannot fail; a response without settings is what would be left.
        if sse::write_json(&mut members, settings).is_err() {
            members.clear();
        }
        let mut members = String::from_utf8(members).unwrap_or_default();
        // Without the braces.
        members.pop();
        members.drain(..members.len().min(1));
        EchoedSettings { members, previous, is_stored: settings.store, is_background: settings.background }
    }

    /// Whether a member of a request is a setting.
    pub(super) fn is_setting(key: &str) -> bool {
        SETTINGS.contains_key(key)
    }

    /// What the record of a request's run keeps: the settings that the request names, and how much of the input is not its
    /// own.
    pub(super) fn to_record(body: &JsonObject, previous: usize) -> ProtocolData {
        let is_setting = |(key, value): &(&String, &Json)| Self::is_setting(key) && !value.is_null();
        let named = body.iter().filter(is_setting).map(|(key, value)| (key.clone(), value.clone()));
        let data = object! {
            "previous" => i64::try_from(previous).unwrap_or(i64::MAX),
            "settings" => named.collect::<JsonObject>(),
        };
        ProtocolData::new(PROTOCOL, Json::from(data).to_string())
    }

    /// The settings in the record; for a run from another protocol, those that can be derived from it.
    pub(super) fn of(record: &RunRecord) -> Self {
        let kept = record.options.protocol.as_ref().filter(|kept| kept.protocol == PROTOCOL);
        let read = kept.map(|kept| Self::read(&kept.data));
        let is_unreadable = matches!(read, Some(None)) || kept.is_none() && record.damage.is_some();
        let (mut settings, previous) = read.flatten().unwrap_or_default();
        if settings.model.is_empty() {
            settings.model = record.request.model.as_deref().unwrap_or(&record.agent).to_owned();
        }
        // A client that did not want its response stored must not find it there.
        settings.store &= !is_unreadable;
        EchoedSettings::new(&settings, previous.min(record.request.input.len()))
    }

    fn read(data: &str) -> Option<(ResponseSettings, usize)> {
        let data = json::parse_with_depth(data, DATA_DEPTH).ok()?;
        let settings = ResponseSettings::from_request(data.get("settings")?.as_object()?).ok()?;
        Some((settings, usize::try_from(data.get("previous")?.as_i64()?).ok()?))
    }
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
        let read = EchoedSettings::of(&record(Some(EchoedSettings::to_record(&body, 0))));
        assert_eq!(read, EchoedSettings::new(&settings, 0));
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
