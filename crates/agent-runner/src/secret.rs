//! Secrets: text that no log may show.

use std::fmt;

/// A key or a password. `Debug` and `Display` print `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// What `Debug`, `Display` and [`Secret::redact`] show instead.
    pub const REDACTED: &'static str = "[redacted]";

    /// Keeps a text secret.
    pub fn new(secret: impl Into<Box<str>>) -> Self {
        Secret(secret.into())
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Takes the secret out of a text that came from outside.
    pub fn redact(&self, text: &str) -> String {
        if self.0.trim().is_empty() {
            return text.to_owned();
        }
        text.replace(self.0.trim(), Secret::REDACTED)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Secret::REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Secret::REDACTED)
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Secret::new(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show() {
        let secret = Secret::new("sk-1234");
        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            "[redacted] [redacted] Some([redacted])"
        );
        assert_eq!(secret.redact("wrong key: sk-1234!"), "wrong key: [redacted]!");
        assert_eq!(Secret::new("").redact("text"), "text");
    }
}
