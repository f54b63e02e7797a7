//! Times in configuration files: a number of seconds, fractions allowed.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// An invalid number becomes zero, which is rejected like other invalid settings when the agent is created: the
/// error then names the setting.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, F64Deserializer};

    use super::*;

    #[test]
    fn seconds__invalid_duration__is_zero() {
        let read = |seconds: f64| {
            let deserializer: F64Deserializer<Error> = seconds.into_deserializer();
            deserialize(deserializer).expect("a number")
        };
        assert_eq!(read(0.25), Duration::from_millis(250));
        for seconds in [0.0, -1.0, 1e300, f64::NAN, f64::INFINITY] {
            assert_eq!(read(seconds), Duration::ZERO, "{seconds}");
        }
    }
}
