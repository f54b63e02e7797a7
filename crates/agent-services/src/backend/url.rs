//! URLs of places where services keep their data.

mod parameters;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::OPERATION;
use crate::{Error, ErrorKind, Result};

pub use self::parameters::Parameters;

/// Where services keep their data: `scheme:location?name=value&…`.
///
/// The part before the last `@`, and parameters, may be secret: `Debug`, `Display`, `Serialize` and errors do not show
/// them. Only the parameters `sync`, `prefix` and `ttl_seconds` are known to be harmless, and are shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StoreUrl {
    text: String,
    /// The position of the colon after the scheme.
    colon: usize,
}

impl StoreUrl {
    /// The URL of a folder or file, for a backend that keeps data in one.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the path is empty or not UTF-8.
    pub fn of_path(scheme: &str, path: &Path) -> Result<Self> {
        match path.to_str() {
            None => Err(fault("a path in the URL is not UTF-8")),
            Some("") => Err(fault("a path in the URL is empty")),
            Some(path) => {
                // Two slashes would introduce a host.
                let path = path
                    .strip_prefix('/')
                    .map_or(path.to_owned(), |rest| format!("/{}", rest.trim_start_matches('/')));
                format!("{scheme}:{}", path.replace('%', "%25").replace('?', "%3F")).parse()
            }
        }
    }

    /// The same URL; if it has no location, with this path. Its parameters stay.
    ///
    /// # Errors
    /// The errors of [`of_path`](Self::of_path).
    pub fn or_path(self, path: &Path) -> Result<Self> {
        if !self.location().is_empty() {
            return Ok(self);
        }
        let with_path = StoreUrl::of_path(self.scheme(), path)?;
        Ok(StoreUrl { text: with_path.text + self.rest(), ..with_path })
    }

    /// The text before the first colon, which selects the backend.
    pub fn scheme(&self) -> &str {
        &self.text[..self.colon]
    }

    /// The text between the scheme's colon and the parameters, as written. It may contain a password.
    pub fn location(&self) -> &str {
        let rest = self.rest();
        rest.split_once('?').map_or(rest, |(location, _)| location)
    }

    /// The location as a path, percent-decoded. `scheme:///a/b` is the same as `scheme:/a/b`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if there is no path, if it names a host, or if the percent-encoded text is not
    /// UTF-8.
    pub fn path(&self) -> Result<PathBuf> {
        let location = self.location();
        let path = match location.strip_prefix("//") {
            Some(path) if path.starts_with('/') => path,
            Some(_) => {
                let what = format!(
                    "a file path has no host; write {0}:/path, or {0}:path for a relative path",
                    self.scheme()
                );
                return Err(self.fault(&what));
            }
            None => location,
        };
        if path.is_empty() {
            return Err(self.fault(&format!("the path is missing, as in {}:/path/to/data", self.scheme())));
        }
        let path = decode(path).ok_or_else(|| self.fault("the percent-encoded text is not UTF-8"))?;
        Ok(PathBuf::from(path))
    }

    /// The parameters, all of which must be known.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if a parameter is unknown, repeated, or has no value.
    pub fn parameters(&self, known: &[&'static str]) -> Result<Parameters> {
        let query = self.rest().split_once('?').map_or("", |(_, query)| query);
        Parameters::parse(self, query, known)
    }

    /// The whole URL as written. It may contain secrets: pass it to drivers, never show it to people.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The error of a backend that cannot use the URL. It says what is wrong without showing a secret of the URL.
    #[must_use]
    pub fn fault(&self, what: &str) -> Error {
        Error::new(ErrorKind::InvalidInput, OPERATION, format!("the URL {self} is invalid: {what}"))
    }

    fn rest(&self) -> &str {
        &self.text[self.colon + 1..]
    }
}

fn fault(what: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, OPERATION, format!("the URL of a store is invalid: {what}"))
}

impl FromStr for StoreUrl {
    type Err = Error;

    /// # Errors
    /// [`ErrorKind::InvalidInput`], without the text, if it has no scheme.
    fn from_str(text: &str) -> Result<Self> {
        let is_scheme = |scheme: &str| {
            scheme.starts_with(|first: char| first.is_ascii_lowercase())
                && scheme.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c))
        };
        match text.find(':') {
            Some(colon) if is_scheme(&text[..colon]) => Ok(StoreUrl { text: text.to_owned(), colon }),
            _ => Err(fault("it should begin with a lowercase scheme, such as sqlite: or redis:")),
        }
    }
}

/// The URL without its possible secrets.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.rest();
        write!(f, "{}:", self.scheme())?;
        // A password may contain any character that its owner forgot to encode, so the last @ ends it.
        let shown = match rest.rsplit_once('@') {
            Some((before, shown)) => {
                f.write_str(if before.starts_with("//") { "//[redacted]@" } else { "[redacted]@" })?;
                shown
            }
            None => rest,
        };
        let (location, query) = shown.split_once('?').unwrap_or((shown, ""));
        f.write_str(location)?;
        let parts = query.split('&').filter(|part| !part.is_empty());
        for (part, separator) in parts.zip(std::iter::once('?').chain(std::iter::repeat('&'))) {
            write!(f, "{separator}{}", if is_harmless(part) { part } else { "[redacted]" })?;
        }
        Ok(())
    }
}

/// Whether a parameter may be shown: it is known to have no secret, and looks as it should.
fn is_harmless(parameter: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":.-_".contains(&byte);
    parameter.split_once('=').is_some_and(|(name, value)| match name {
        "sync" => ["full", "normal"].contains(&value),
        "ttl_seconds" => value.bytes().all(|byte| byte.is_ascii_digit()),
        "prefix" => value.len() <= 64 && value.bytes().all(is_plain),
        _ => false,
    })
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for StoreUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StoreUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Percent-decodes a text; `None` if a `%` is not followed by two hexadecimal digits, or the result is not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
