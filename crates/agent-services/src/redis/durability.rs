//! Checks at startup which acknowledged data Redis may lose as configured.

use std::collections::HashMap;

use super::client::{RedisClient, Repeat};

/// The relevant settings.
const APPEND_ONLY: &str = "appendonly";
const APPEND_FSYNC: &str = "appendfsync";
const SAVE: &str = "save";
const POLICY: &str = "maxmemory-policy";

impl RedisClient {
    /// Warns about possible losses, once for all stores of this client. Managed Redis services often refuse to show
    /// their settings, which does not prevent the start.
    pub(super) async fn warn_of_losses(&self, operation: &'static str) {
        if !self.is_first_to_warn() {
            return;
        }
        let mut ask = ::redis::cmd("CONFIG");
        ask.arg("GET").arg(&[APPEND_ONLY, APPEND_FSYNC, SAVE, POLICY]);
        match self.ask::<HashMap<String, String>>(operation, ask, Repeat::Safe).await {
            Ok(settings) => {
                let losses = losses(&settings);
                if !losses.is_empty() {
                    let servers = self.servers();
                    tracing::warn!("Redis ({servers}) may lose acknowledged data: {}", losses.join("; "));
                }
            }
            Err(error) => {
                tracing::info!(error = %error, "could not read the settings of Redis to check its durability");
            }
        }
    }
}

/// The possible losses; an unknown setting is assumed to be safe.
fn losses(settings: &HashMap<String, String>) -> Vec<String> {
    let setting = |name| settings.get(name).map(String::as_str);
    let mut losses = Vec::new();
    match (setting(APPEND_ONLY), setting(APPEND_FSYNC), setting(SAVE)) {
        (Some("no"), _, Some("")) => {
            losses
                .push("a restart of Redis loses everything (appendonly is no, and save is empty)".to_owned());
        }
        (Some("no"), ..) => {
            losses.push(
                "a crash of Redis loses everything since its last snapshot (appendonly is no)".to_owned(),
            );
        }
        (_, Some("everysec"), _) => {
            losses.push(
                "a power failure loses up to about a second of writes (appendfsync is everysec)".to_owned(),
            );
        }
        (_, Some("no"), _) => {
            let loss = "a power failure loses what the system has not written, often half a minute (appendfsync is no)";
            losses.push(loss.to_owned());
        }
        _ => {}
    }
    if let Some(policy) = setting(POLICY).filter(|policy| *policy != "noeviction") {
        losses.push(format!("Redis evicts data when it is full (maxmemory-policy is {policy})"));
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durability__each_setting__names_its_loss() {
        for (append_only, fsync, save, policy, expected) in [
            ("yes", "always", "", "noeviction", &[][..]),
            ("yes", "everysec", "3600 1", "noeviction", &["about a second"]),
            ("yes", "no", "", "noeviction", &["half a minute"]),
            ("no", "everysec", "", "noeviction", &["everything"]),
            ("no", "always", "3600 1", "noeviction", &["last snapshot"]),
            ("no", "always", "", "allkeys-lru", &["everything", "maxmemory-policy is allkeys-lru"]),
        ] {
            let settings =
                [(APPEND_ONLY, append_only), (APPEND_FSYNC, fsync), (SAVE, save), (POLICY, policy)];
            let found = losses(&settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
            assert_eq!(found.len(), expected.len(), "{found:?}");
            assert!(found.iter().zip(expected).all(|(loss, words)| loss.contains(words)), "{found:?}");
        }
        assert!(losses(&HashMap::new()).is_empty());
    }
}
