//! The part of a request that its run's record keeps.

use std::sync::LazyLock;

use agent_schemas::responses::ResponseSettings;
use agent_schemas::{Json, JsonObject, ProtocolData, json, object, sse};
use agent_services::run::RunRecord;

/// The protocol's name in the record.
const PROTOCOL: &str = "openai.responses";

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

    /// What the record of a request's run keeps: the settings that the request names, and how much of the input is not its
    /// own.
    pub(super) fn to_record(body: &JsonObject, previous: usize) -> ProtocolData {
        let is_setting = |(key, value): &(&String, &Json)| SETTINGS.contains_key(*key) && !value.is_null();
        let named = body.iter().filter(is_setting).map(|(key, value)| (key.clone(), value.clone()));
        let data = object! {
            "previous" => i64::try_from(previous).unwrap_or(i64::MAX),
            "settings" => named.collect::<JsonObject>(),
        };
        ProtocolData::new(PROTOCOL, Json::from(data).to_string())
    }

    /// The settings in the record; for a run from another protocol, those that can be derived from it.
    pub(super) fn of(record: &RunRecord) -> Self {
        let (mut settings, previous) = Self::read(record).unwrap_or_default();
        if settings.model.is_empty() {
            settings.model = record.request.model.as_deref().unwrap_or(&record.agent).to_owned();
        }
        EchoedSettings::new(&settings, previous.min(record.request.input.len()))
    }

    fn read(record: &RunRecord) -> Option<(ResponseSettings, usize)> {
        let kept = record.options.protocol.as_ref().filter(|kept| kept.protocol == PROTOCOL)?;
        let data = json::parse(&kept.data).ok()?;
        let settings = ResponseSettings::from_request(data.get("settings")?.as_object()?).ok()?;
        Some((settings, usize::try_from(data.get("previous")?.as_i64()?).ok()?))
    }
}
