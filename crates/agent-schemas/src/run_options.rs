//! Options that control how a run is executed, independent of its agent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::decode::ValidationError;
use crate::http_head::HttpHead;
use crate::id::RunId;
use crate::json::{Json, JsonObject};

/// Options of a run.
///
/// The server has defaults. A request overrides them with members next to its input ([`Self::read_from`]), a protocol
/// by setting fields. The options travel as one value from the request to the run and into its record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct RunOptions {
    /// Whether the run continues with no reader, and the response is the run itself, returned at once.
    #[serde(skip_serializing_if = "is_false")]
    pub background: bool,
    /// What happens if the session already has a run in progress.
    pub session_policy: SessionPolicy,
    /// What happens to the run if its client disconnects.
    pub on_disconnect: OnDisconnect,
    /// How long a client may be disconnected before [`OnDisconnect::Cancel`] takes effect.
    #[serde(rename = "disconnect_grace_ms", with = "milliseconds")]
    #[schemars(skip)]
    pub disconnect_grace: Duration,
    /// When readers see the agent's output.
    pub durability: Durability,
    /// How long the final response is kept after the run has ended, in seconds, if that exceeds the retention of the
    /// run's events. The server's limit applies.
    #[serde(
        rename = "response_ttl_seconds",
        with = "crate::seconds",
        skip_serializing_if = "Duration::is_zero"
    )]
    #[schemars(with = "u64")]
    pub response_ttl: Duration,
    /// Whether the input and the output become part of the session's history. False for a request that contains its
    /// whole context.
    #[schemars(skip)]
    pub keep_history: bool,
    /// Whether the agent is not called: the run ends at once, without output, and only prepares its input for runs that
    /// continue it.
    #[serde(skip_serializing_if = "is_false")]
    #[schemars(skip)]
    pub prepares_only: bool,
    /// The run that this one continues: its context, its input and its output precede this run's input, which has only
    /// what is new. The runner sets it.
    #[serde(with = "run_id", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub continues: Option<RunId>,
    /// How many of the first messages of the input are not new, but come from runs that this one continues. The runner
    /// sets it.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(skip)]
    pub inherited: usize,
    /// Whether the request names no session, so that the server chose its id. Such a session is kept for a limited time,
    /// unless a later request names it.
    #[serde(skip_serializing_if = "is_false")]
    #[schemars(skip)]
    pub anonymous_session: bool,
    /// Data that a protocol keeps with the run, to answer later requests about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub protocol: Option<ProtocolData>,
    /// The run that started this one as its child.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub parent: Option<RunId>,
    /// Makes repeated requests of one user start only one run. Stores keep it separate from the other options.
    #[serde(skip)]
    #[schemars(skip)]
    pub idempotency_key: Option<IdempotencyKey>,
    /// What the HTTP request says beside its body. It is not stored, so a run that is started again, or by another process,
    /// does not have it.
    #[serde(skip)]
    #[schemars(skip)]
    pub http: Option<Arc<HttpHead>>,
}

/// What happens to a run whose session already has one in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum SessionPolicy {
    /// The run waits until those before it have ended.
    #[default]
    Enqueue,
    /// The run is rejected.
    Reject,
    /// The run in progress is asked to stop, and this one is next.
    Interrupt,
    /// The input is handed to the run in progress.
    Steer,
    /// It runs concurrently and is not part of the session's order. A protocol may choose this, a request may not.
    #[schemars(skip)]
    Concurrent,
}

/// What happens to a run that has lost its last reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OnDisconnect {
    /// It is cancelled, unless a reader returns within [`RunOptions::disconnect_grace`].
    Cancel,
    /// It continues to its end.
    #[default]
    Continue,
}

/// When readers see an agent's output. The beginning and the end of a run are always stored first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Durability {
    /// Once it is stored: whatever a reader has seen survives the end of the process.
    #[default]
    Strict,
    /// At once; it is stored up to 150 ms later. If the process dies in between, the run continues in a new
    /// epoch, and a reader that saw more than was stored gets an error when it resumes.
    Relaxed,
}

/// Data that a protocol keeps with a run. It is opaque to everything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolData {
    /// The protocol's name, so that no protocol reads another's data.
    pub protocol: String,
    /// The data, in a form that the protocol chooses.
    pub data: String,
}

impl ProtocolData {
    /// The data of a protocol.
    pub fn new(protocol: impl Into<String>, data: impl Into<String>) -> Self {
        ProtocolData { protocol: protocol.into(), data: data.into() }
    }
}

/// The key with which repeated requests start only one run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdempotencyKey {
    /// The key that the client chose. It is scoped to the user.
    pub key: String,
    /// Distinguishes different requests that use the same key by mistake.
    pub fingerprint: String,
    /// Whether the client knows that the request was made before. If the key is unknown then, no run is created.
    pub is_repeated: bool,
}

impl IdempotencyKey {
    /// The key of a request that may be the first with it.
    pub fn new(key: impl Into<String>, fingerprint: impl Into<String>) -> Self {
        IdempotencyKey { key: key.into(), fingerprint: fingerprint.into(), is_repeated: false }
    }

    /// The key of a request that was made before, as its client knows.
    #[must_use]
    pub fn repeated(mut self) -> Self {
        self.is_repeated = true;
        self
    }
}

impl Default for RunOptions {
    /// A foreground run that waits for its session, continues with no reader, and becomes part of the history.
    fn default() -> Self {
        RunOptions {
            background: false,
            session_policy: SessionPolicy::default(),
            on_disconnect: OnDisconnect::default(),
            disconnect_grace: Duration::from_secs(60),
            durability: Durability::default(),
            response_ttl: Duration::ZERO,
            keep_history: true,
            prepares_only: false,
            continues: None,
            inherited: 0,
            anonymous_session: false,
            protocol: None,
            parent: None,
            idempotency_key: None,
            http: None,
        }
    }
}

impl RunOptions {
    /// Removes the options that a request names from its members. Null leaves an option unchanged.
    ///
    /// # Errors
    /// The first option with an invalid value.
    pub fn read_from(&mut self, members: &mut JsonObject) -> Result<(), ValidationError> {
        if members.is_empty() {
            return Ok(());
        }
        take(members, "background", &mut self.background)?;
        take(members, "session_policy", &mut self.session_policy)?;
        take(members, "on_disconnect", &mut self.on_disconnect)?;
        take(members, "durability", &mut self.durability)?;
        take(members, "response_ttl_seconds", &mut self.response_ttl)
    }

    /// How long the run may have no reader before it is cancelled; `None` if it continues regardless.
    pub fn cancel_after(&self) -> Option<Duration> {
        let cancels = self.on_disconnect == OnDisconnect::Cancel && !self.background;
        cancels.then_some(self.disconnect_grace)
    }

    /// The options in a run's record. An option that cannot be read, such as a value of a later version, gets its
    /// default.
    pub fn from_record(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Self::from_members(text))
    }

    /// The options that can be read, one by one.
    fn from_members(text: &str) -> Self {
        let Ok(members) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(text) else {
            return RunOptions::default();
        };
        let good = members.into_iter().filter(|(name, value)| {
            serde_json::from_str::<RunOptions>(&format!("{{\"{name}\":{value}}}")).is_ok()
        });
        let good: BTreeMap<String, Box<RawValue>> = good.collect();
        let text = serde_json::to_string(&good).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Sets what happens if the run has lost its last reader.
    #[must_use]
    pub fn with_on_disconnect(mut self, on_disconnect: OnDisconnect) -> Self {
        self.on_disconnect = on_disconnect;
        self
    }

    /// Cancels the run after this long with no reader.
    #[must_use]
    pub fn with_cancel_after(mut self, grace: Duration) -> Self {
        self.on_disconnect = OnDisconnect::Cancel;
        self.disconnect_grace = grace;
        self
    }

    /// Sets what happens if the session already has a run in progress.
    #[must_use]
    pub fn with_session_policy(mut self, policy: SessionPolicy) -> Self {
        self.session_policy = policy;
        self
    }

    /// Sets when readers see the agent's output.
    #[must_use]
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Leaves the input and the output out of the session's history.
    #[must_use]
    pub fn without_history(mut self) -> Self {
        self.keep_history = false;
        self
    }

    /// Keeps the final response for at least this long after the run has ended.
    #[must_use]
    pub fn with_response_ttl(mut self, ttl: Duration) -> Self {
        self.response_ttl = ttl;
        self
    }

    /// Makes the run a child of this run.
    #[must_use]
    pub fn with_parent(mut self, parent: RunId) -> Self {
        self.parent = Some(parent);
        self
    }

    /// Makes repeated requests of one user with this key start only one run.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: IdempotencyKey) -> Self {
        self.idempotency_key = Some(key);
        self
    }
}

/// A value that a request may set for an option.
trait OptionValue: Sized {
    /// The expected values, for the error message.
    const EXPECTED: &'static str;

    fn read(json: &Json) -> Option<Self>;
}

impl OptionValue for bool {
    const EXPECTED: &'static str = "expected true or false";

    fn read(json: &Json) -> Option<Self> {
        json.as_bool()
    }
}

impl OptionValue for Duration {
    const EXPECTED: &'static str = "expected a number of seconds, 0 or more";

    fn read(json: &Json) -> Option<Self> {
        u64::try_from(json.as_i64()?).ok().map(Duration::from_secs)
    }
}

impl OptionValue for SessionPolicy {
    const EXPECTED: &'static str = "expected 'enqueue', 'reject', 'interrupt' or 'steer'";

    fn read(json: &Json) -> Option<Self> {
        word(json).filter(|policy| *policy != SessionPolicy::Concurrent)
    }
}

impl OptionValue for OnDisconnect {
    const EXPECTED: &'static str = "expected 'continue' or 'cancel'";

    fn read(json: &Json) -> Option<Self> {
        word(json)
    }
}

impl OptionValue for Durability {
    const EXPECTED: &'static str = "expected 'strict' or 'relaxed'";

    fn read(json: &Json) -> Option<Self> {
        word(json)
    }
}

/// The value of an enumeration that a string names.
fn word<T: DeserializeOwned>(json: &Json) -> Option<T> {
    let word: StrDeserializer<'_, serde::de::value::Error> = json.as_str()?.into_deserializer();
    T::deserialize(word).ok()
}

fn take<T: OptionValue>(members: &mut JsonObject, name: &str, option: &mut T) -> Result<(), ValidationError> {
    let Some(json) = members.shift_remove(name).filter(|json| !json.is_null()) else { return Ok(()) };
    *option = T::read(&json).ok_or_else(|| ValidationError {
        kind: "literal_error",
        location: vec![name.into()],
        message: T::EXPECTED.to_owned(),
        input: json,
    })?;
    Ok(())
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

mod run_id {
    //! The id of a run as text.

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::id::RunId;

    pub(super) fn serialize<S: Serializer>(id: &Option<RunId>, serializer: S) -> Result<S::Ok, S::Error> {
        id.as_ref().map(RunId::as_str).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RunId>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(RunId::new))
    }
}

mod milliseconds {
    //! A duration as whole milliseconds.

    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[test]
    fn run_options__request_members__are_removed() {
        let mut members = object! {
            "background" => true, "session_policy" => "steer", "on_disconnect" => Json::Null, "durability" => "relaxed",
            "response_ttl_seconds" => 5, "mine" => 1
        };
        let mut options = RunOptions::default();
        options.read_from(&mut members).expect("good options");
        assert_eq!(members, object! { "mine" => 1 });
        let expected = RunOptions {
            background: true,
            session_policy: SessionPolicy::Steer,
            durability: Durability::Relaxed,
            response_ttl: Duration::from_secs(5),
            ..RunOptions::default()
        };
        assert_eq!(options, expected);
    }

    #[test]
    fn run_options__invalid_member__names_the_expected() {
        let wrong = [
            ("background", Json::from("yes")),
            ("session_policy", Json::from("concurrent")),
            ("on_disconnect", Json::from(1)),
            ("durability", Json::from("STRICT")),
            ("response_ttl_seconds", Json::from(-1)),
        ];
        for (name, value) in wrong {
            let mut members = JsonObject::from_iter([(name.to_owned(), value)]);
            let fault = RunOptions::default().read_from(&mut members).expect_err(name);
            assert_eq!(fault.location, vec![name.into()]);
            assert!(fault.message.starts_with("expected "), "{fault}");
        }
    }

    #[test]
    fn run_options__schema__lists_readable_members() {
        let mut generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
        let schema = RunOptions::json_schema(&mut generator);
        let properties =
            schema.get("properties").and_then(|properties| properties.as_object()).expect("some");
        for name in properties.keys() {
            let mut members = JsonObject::from_iter([(name.clone(), Json::Null)]);
            RunOptions::default().read_from(&mut members).expect("null is not a value");
            assert!(members.is_empty(), "{name} is described, but not read");
        }
        assert_eq!(properties.len(), 5);
    }

    #[test]
    fn run_options__stored_record__round_trips() {
        let mut options =
            RunOptions::default().without_history().with_cancel_after(Duration::from_millis(1500));
        options.protocol = Some(ProtocolData::new("mine", "anything"));
        options.response_ttl = Duration::from_secs(9);
        (options.continues, options.inherited) = (Some(RunId::new("run_1")), 3);
        options.anonymous_session = true;
        let text = serde_json::to_string(&options).expect("JSON");
        assert_eq!(RunOptions::from_record(&text), options);
        assert_eq!(RunOptions::from_record("{}"), RunOptions::default());
        assert_eq!(RunOptions::from_record("nonsense"), RunOptions::default());
        let later = text.replace("\"enqueue\"", "\"negotiate\"").replace('{', "{\"new\":[1],");
        assert_eq!(RunOptions::from_record(&later), options, "what can be read is kept");
    }
}
