//! The address of Redis, and how to connect to it.

use std::fmt;
use std::time::Duration;

use ::redis::RedisConnectionInfo;
use secrecy::{ExposeSecret, SecretString};

use super::servers::Servers;
use super::{keys, url};
use crate::Result;

/// The address of Redis, and how to connect to it.
///
/// Neither `Debug` nor any error shows a secret.
#[derive(Clone)]
pub struct RedisConfig {
    pub(super) servers: Servers,
    /// The login for the sentinels; the login for Redis is part of `servers`.
    pub(super) sentinel_login: Option<(String, SecretString)>,
    pub(super) prefix: String,
    pub(super) connect_timeout: Duration,
    pub(super) response_timeout: Duration,
    /// Certificates, in PEM, of trusted authorities, which replace the system's.
    pub(super) root_certificates: Option<Vec<u8>>,
    pub(super) is_read_only: bool,
}

impl RedisConfig {
    /// Redis at a URL, with the prefix `agent` and timeouts of two seconds to connect and five for a reply.
    ///
    /// | URL | servers |
    /// |---|---|
    /// | `redis://[user][:password@]host[:port][/database]` | one server |
    /// | `redis-cluster://[user][:password@]host[:port],…` | some nodes of a Redis Cluster |
    /// | `redis-sentinel://[user][:password@]host[:port],…/master[/database]` | sentinels, by default at port 26379 |
    ///
    /// With `rediss` instead of `redis` the connections are encrypted. Characters with a special meaning in URLs must
    /// be percent-encoded.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), without the URL, which may contain a password.
    pub fn new(url: &str) -> Result<Self> {
        Ok(RedisConfig {
            servers: url::parse(url)?,
            sentinel_login: None,
            prefix: "agent".to_owned(),
            connect_timeout: Duration::from_secs(2),
            response_timeout: Duration::from_secs(5),
            root_certificates: None,
            is_read_only: false,
        })
    }

    /// Sets the login: the name of an ACL user (`default` if there are none) and a password.
    #[must_use]
    pub fn with_login(mut self, user: &str, password: &SecretString) -> Self {
        let change = |info: &RedisConnectionInfo| {
            info.clone().set_username(user).set_password(password.expose_secret())
        };
        match &mut self.servers {
            Servers::Standalone(info) => {
                *info = info.clone().set_redis_settings(change(info.redis_settings()))
            }
            Servers::Sentinel { login, .. } => *login = change(login),
            Servers::Cluster(nodes) => {
                for info in nodes {
                    *info = info.clone().set_redis_settings(change(info.redis_settings()));
                }
            }
        }
        self
    }

    /// Sets the login for the sentinels, which have none by default.
    #[must_use]
    pub fn with_sentinel_login(mut self, user: &str, password: &SecretString) -> Self {
        self.sentinel_login = Some((user.to_owned(), password.clone()));
        self
    }

    /// Sets the prefix of every key. Programs with different prefixes do not share data.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if it is empty, longer than 64 characters, or contains other
    /// characters than letters, digits, `:`, `.`, `-` and `_`.
    pub fn with_prefix(mut self, prefix: &str) -> Result<Self> {
        keys::check_prefix(prefix)?;
        prefix.clone_into(&mut self.prefix);
        Ok(self)
    }

    /// Sets the timeouts of connecting and of one reply. A call takes at most the sum of both.
    #[must_use]
    pub fn with_timeouts(mut self, connect: Duration, response: Duration) -> Self {
        (self.connect_timeout, self.response_timeout) = (connect, response);
        self
    }

    /// Sets the certificates, in PEM, of trusted authorities for encrypted servers, instead of the system's.
    #[must_use]
    pub fn with_root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(pem.into());
        self
    }

    /// The same for stores that are only read: data of an older layout is then rejected instead of migrated.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.is_read_only = true;
        self
    }

    pub(super) fn login_at_sentinels(&self) -> Option<(&str, &str)> {
        self.sentinel_login.as_ref().map(|(user, password)| (user.as_str(), password.expose_secret()))
    }
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig")
            .field("servers", &self.servers.to_string())
            .field("prefix", &self.prefix)
            .field("connect_timeout", &self.connect_timeout)
            .field("response_timeout", &self.response_timeout)
            .finish_non_exhaustive()
    }
}
