//! The parameters of a URL, which are settings of a single backend.

use std::fmt;
use std::str::FromStr;

use super::{StoreUrl, decode};
use crate::Result;

/// The parameters of a URL, all of which are known to its backend.
///
/// Errors do not show values, because they may be secret.
pub struct Parameters {
    url: StoreUrl,
    given: Vec<(&'static str, String)>,
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.given.iter().map(|(name, _)| name)).finish()
    }
}

impl Parameters {
    pub(super) fn parse(url: &StoreUrl, query: &str, known: &[&'static str]) -> Result<Self> {
        let mut given: Vec<(&'static str, String)> = Vec::new();
        if query.contains('@') {
            return Err(url.fault(
                "'@' is not allowed after '?'; write ? as %3F in a password, or @ as %40 in a parameter",
            ));
        }
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=') else {
                return Err(url.fault("a parameter has no value; write ?name=value"));
            };
            let Some(name) = known.iter().copied().find(|known| *known == name) else {
                return Err(url.fault(&unknown(name, known)));
            };
            if given.iter().any(|(given, _)| *given == name) {
                return Err(url.fault(&format!("the parameter `{name}` is repeated")));
            }
            let Some(value) = decode(value) else {
                return Err(
                    url.fault(&format!("the percent-encoded value of the parameter `{name}` is not UTF-8"))
                );
            };
            given.push((name, value));
        }
        Ok(Parameters { url: url.clone(), given })
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter, parsed as another type; `what` describes the type for errors, as in "a number".
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if it cannot be parsed.
    pub fn read<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let fault = || self.url.fault(&format!("the parameter `{name}` should be {what}"));
        value.parse().map(Some).map_err(|_| fault())
    }
}

fn unknown(name: &str, known: &[&str]) -> String {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let name = if is_plain { format!("`{name}`") } else { "of that name".to_owned() };
    match known {
        [] => format!("there is no parameter {name}; this URL takes none"),
        known => format!("there is no parameter {name}; the known parameters are {}", known.join(", ")),
    }
}
