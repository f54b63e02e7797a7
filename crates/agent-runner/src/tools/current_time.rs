//! A tool that returns the time.

use std::sync::Arc;

use agent_schemas::{Clock, Json, JsonObject, object};
use async_trait::async_trait;
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

use super::{Tool, ToolContext, ToolError};

/// Returns the date and the time, in UTC or in a time zone.
///
/// Zones are IANA names, from the system's database or the compiled-in one, or offsets.
#[derive(Clone, Debug)]
pub struct CurrentTime {
    clock: Arc<dyn Clock>,
}

impl CurrentTime {
    /// A tool that uses this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        CurrentTime { clock }
    }
}

#[async_trait]
impl Tool for CurrentTime {
    fn name(&self) -> &str {
        "current_time"
    }

    fn description(&self) -> &str {
        "Returns the current date, time and day of the week."
    }

    fn parameters(&self) -> Json {
        let zone = object! {
            "type" => "string",
            "description" => "An IANA time zone such as \"Europe/Berlin\" or an offset such as \"+02:00\". Default: UTC."
        };
        let schema = object! {
            "type" => "object",
            "properties" => object! { "timezone" => zone },
            "additionalProperties" => false
        };
        schema.into()
    }

    async fn call(&self, _: &ToolContext, arguments: JsonObject) -> Result<Json, ToolError> {
        let (name, zone) = match arguments.get("timezone") {
            None | Some(Json::Null) => ("UTC", TimeZone::UTC),
            Some(Json::String(name)) => match name.trim() {
                "" | "Z" => ("UTC", TimeZone::UTC),
                name => (name, zone_named(name)?),
            },
            Some(_) => return Err(ToolError::new("the argument 'timezone' should be a string")),
        };
        let now = Timestamp::from_second(self.clock.unix_seconds());
        let local = now.map_err(|_| ToolError::new("the clock is out of range"))?.to_zoned(zone);
        let answer = object! {
            "time" => local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            "weekday" => local.strftime("%A").to_string(),
            "timezone" => name,
            "utc" => local.timestamp().to_string()
        };
        Ok(answer.into())
    }
}

fn zone_named(name: &str) -> Result<TimeZone, ToolError> {
    DateTimeParser::new().parse_time_zone(name).map_err(|_| {
        ToolError::new(format!(
            "there is no time zone '{name}'; use an IANA name such as Europe/Berlin or an offset such as +02:00"
        ))
    })
}

#[cfg(test)]
mod tests {
    use agent_schemas::{SessionId, UserId};
    use agent_services::clock::ManualClock;

    use super::*;
    use crate::Services;

    async fn check(arguments: JsonObject, expected: &str) {
        // 2026-07-01T12:00:00Z, a Wednesday.
        let tool = CurrentTime::new(Arc::new(ManualClock::at(1_782_907_200)));
        let ctx = ToolContext::detached(UserId::new("u"), SessionId::new("s"), Services::in_memory());
        let answer = tool.call(&ctx, arguments).await;
        assert_eq!(answer.map_or_else(|error| error.to_string(), |answer| answer.to_string()), expected);
    }

    #[tokio::test]
    async fn current_time__no_zone__is_utc() {
        let utc = r#"{"time":"2026-07-01T12:00:00+00:00","weekday":"Wednesday","timezone":"UTC","utc":"2026-07-01T12:00:00Z"}"#;
        check(object! {}, utc).await;
        check(object! { "timezone" => "UTC" }, utc).await;
        check(object! { "timezone" => Json::Null }, utc).await;
    }

    #[tokio::test]
    async fn current_time__name_or_offset__is_converted() {
        check(
            object! { "timezone" => "Asia/Tokyo" },
            r#"{"time":"2026-07-01T21:00:00+09:00","weekday":"Wednesday","timezone":"Asia/Tokyo","utc":"2026-07-01T12:00:00Z"}"#,
        )
        .await;
        check(
            object! { "timezone" => "+13:00" },
            r#"{"time":"2026-07-02T01:00:00+13:00","weekday":"Thursday","timezone":"+13:00","utc":"2026-07-01T12:00:00Z"}"#,
        )
        .await;
    }

    #[tokio::test]
    async fn current_time__unknown_zone__is_explained() {
        check(
            object! { "timezone" => "Atlantis" },
            "there is no time zone 'Atlantis'; use an IANA name such as Europe/Berlin or an offset such as +02:00",
        )
        .await;
        check(object! { "timezone" => 1_i64 }, "the argument 'timezone' should be a string").await;
    }
}
