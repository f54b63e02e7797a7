//! How one run is to be treated, whatever its agent does.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::decode::ValidationError;
use crate::json::{Json, JsonObject};

/// How one run is to be treated.
///
/// A server has its defaults; a request changes them by members beside the input ([`Self::read_from`]), and a protocol by
/// fields. The options travel as one value from the request to the run and into its record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct RunOptions {
    /// Whether the run continues whether or not anybody reads it, and the answer is the run itself, at once.
    #[serde(skip_serializing_if = "is_false")]
    pub background: bool,
    /// What happens if the session has a run in progress already.
    pub session_policy: SessionPolicy,
    /// What happens to the run when its client disconnects.
    pub on_disconnect: OnDisconnect,
    /// How long a client may be away before [`OnDisconnect::Cancel`] takes effect.
    #[serde(rename = "disconnect_grace_ms", with = "milliseconds")]
    #[schemars(skip)]
    pub disconnect_grace: Duration,
    /// When readers see what the agent writes.
    pub durability: Durability,
    /// How long the final response is kept after the run's end, in seconds, where that is longer than the run's events are
    /// kept; the server's limit applies.
    #[serde(
        rename = "response_ttl_seconds",
        with = "crate::seconds",
        skip_serializing_if = "Duration::is_zero"
    )]
    #[schemars(with = "u64")]
    pub response_ttl: Duration,
    /// Whether the input and the output become part of the session's history; not for a request that brings all of its
    /// context itself.
    #[schemars(skip)]
    pub keep_history: bool,
    /// What a protocol keeps with the run, to answer later requests about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub protocol: Option<ProtocolData>,
    /// Makes repeated requests of one user one run. Stores keep it apart from the other options.
    #[serde(skip)]
    #[schemars(skip)]
    pub idempotency_key: Option<IdempotencyKey>,
}

/// What happens to a run whose session has one in progress already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum SessionPolicy {
    /// It waits until those before it have ended.
    #[default]
    Enqueue,
    /// It is refused.
    Reject,
    /// The run in progress is asked to stop, and this one is next.
    Interrupt,
    /// Its input is handed to the run in progress.
    Steer,
    /// It runs at the same time and takes no part in the session's order. A protocol may choose this, a request may not.
    #[schemars(skip)]
    Concurrent,
}

/// What happens to a run that nobody reads any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OnDisconnect {
    /// It is cancelled, unless somebody reads it again within [`RunOptions::disconnect_grace`].
    Cancel,
    /// It continues to its end.
    #[default]
    Continue,
}

/// When readers see what an agent writes. A run's beginning and its end are stored before they are seen in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Durability {
    /// Once it is stored: what somebody saw is still there after the process died.
    #[default]
    Strict,
    /// At once; it is stored a tenth of a second later. When the process dies in between, the run continues in a new epoch,
    /// and a reader that saw more than was stored is told so when it resumes.
    Relaxed,
}

/// What a protocol keeps with a run. Nobody else looks into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolData {
    /// The protocol's name, so that one does not read another's data.
    pub protocol: String,
    /// The data, in whatever form the protocol likes.
    pub data: String,
}

impl ProtocolData {
    /// The data of a protocol.
    pub fn new(protocol: impl Into<String>, data: impl Into<String>) -> Self {
        ProtocolData { protocol: protocol.into(), data: data.into() }
    }
}

/// What makes repeated requests one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdempotencyKey {
    /// The key that the client chose; it counts for this user only.
    pub key: String,
    /// Tells requests apart that have the same key by mistake.
    pub fingerprint: String,
    /// Whether the client knows that the request was made before: if the key is unknown then, no run is made.
    pub is_repeated: bool,
}

impl IdempotencyKey {
    /// The key of a request that may be the first with it.
    pub fn new(key: impl Into<String>, fingerprint: impl Into<String>) -> Self {
        IdempotencyKey { key: key.into(), fingerprint: fingerprint.into(), is_repeated: false }
    }

    /// The same of a request that was made before, as its client knows.
    #[must_use]
    pub fn repeated(mut self) -> Self {
        self.is_repeated = true;
        self
    }
}

impl Default for RunOptions {
    /// A run in the foreground that waits for its session, continues when nobody reads it, and becomes part of the history.
    fn default() -> Self {
        RunOptions {
            background: false,
            session_policy: SessionPolicy::default(),
            on_disconnect: OnDisconnect::default(),
            disconnect_grace: Duration::from_secs(60),
            durability: Durability::default(),
            response_ttl: Duration::ZERO,
            keep_history: true,
            protocol: None,
            idempotency_key: None,
        }
    }
}

impl RunOptions {
    /// Takes the options that a request names out of its members; null leaves an option as it is.
    ///
    /// # Errors
    /// The first option with a wrong value.
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

    /// How long nobody may read the run before it is cancelled; `None` if it continues regardless.
    pub fn cancel_after(&self) -> Option<Duration> {
        let cancels = self.on_disconnect == OnDisconnect::Cancel && !self.background;
        cancels.then_some(self.disconnect_grace)
    }

    /// The options that a run's record has. One that cannot be read, such as a value of a later version, is the default.
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

    /// Sets what happens to the run when nobody reads it any more.
    #[must_use]
    pub fn with_on_disconnect(mut self, on_disconnect: OnDisconnect) -> Self {
        self.on_disconnect = on_disconnect;
        self
    }

    /// Cancels the run when nobody has read it for this long.
    #[must_use]
    pub fn with_cancel_after(mut self, grace: Duration) -> Self {
        self.on_disconnect = OnDisconnect::Cancel;
        self.disconnect_grace = grace;
        self
    }

    /// Sets what happens if the session has a run in progress already.
    #[must_use]
    pub fn with_session_policy(mut self, policy: SessionPolicy) -> Self {
        self.session_policy = policy;
        self
    }

    /// Sets when readers see what the agent writes.
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

    /// Keeps the final response for at least this long after the run's end.
    #[must_use]
    pub fn with_response_ttl(mut self, ttl: Duration) -> Self {
        self.response_ttl = ttl;
        self
    }

    /// Makes repeated requests of one user with this key one run.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: IdempotencyKey) -> Self {
        self.idempotency_key = Some(key);
        self
    }
}

/// A value that a request may give to an option.
trait OptionValue: Sized {
    /// What is expected, for the error.
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
    fn options_are_taken_out_of_a_request() {
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
    fn a_wrong_option_is_named_with_what_is_expected() {
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
    fn the_schema_names_what_a_request_may_set() {
        let mut generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
        let schema = RunOptions::json_schema(&mut generator);
        let properties =
            schema.get("properties").and_then(|properties| properties.as_object()).expect("some");
        for name in properties.keys() {
            let mut members = JsonObject::from_iter([(name.clone(), Json::Null)]);
            RunOptions::default().read_from(&mut members).expect("null is no value");
            assert!(members.is_empty(), "{name} is described, but not read");
        }
        assert_eq!(properties.len(), 5);
    }

    #[test]
    fn options_come_back_from_a_record_as_they_were() {
        let mut options =
            RunOptions::default().without_history().with_cancel_after(Duration::from_millis(1500));
        options.protocol = Some(ProtocolData::new("mine", "anything"));
        options.response_ttl = Duration::from_secs(9);
        let text = serde_json::to_string(&options).expect("JSON");
        assert_eq!(RunOptions::from_record(&text), options);
        assert_eq!(RunOptions::from_record("{}"), RunOptions::default());
        assert_eq!(RunOptions::from_record("nonsense"), RunOptions::default());
        let later = text.replace("\"enqueue\"", "\"negotiate\"").replace('{', "{\"new\":[1],");
        assert_eq!(RunOptions::from_record(&later), options, "what can be read is kept");
    }
}
