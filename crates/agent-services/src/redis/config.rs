//! Where Redis is and how it is talked to.

use std::fmt;
use std::time::Duration;

use ::redis::RedisConnectionInfo;
use secrecy::{ExposeSecret, SecretString};

use super::servers::Servers;
use super::{keys, url};
use crate::Result;

/// Where Redis is and how it is talked to.
///
/// No secret shows in its `Debug` form or in any error.
#[derive(Clone)]
pub struct RedisConfig {
    pub(super) servers: Servers,
    /// The login at the sentinels; that at Redis is part of `servers`.
    pub(super) sentinel_login: Option<(String, SecretString)>,
    pub(super) prefix: String,
    pub(super) connect_timeout: Duration,
    pub(super) response_timeout: Duration,
    /// Certificates, in PEM, of who may vouch for a server, in place of the system's.
    pub(super) root_certificates: Option<Vec<u8>>,
    pub(super) is_read_only: bool,
}

impl RedisConfig {
    /// Redis at a URL, with the prefix `agent` and time-outs of two seconds to connect and five to answer.
    ///
    /// | URL | what is there |
    /// |---|---|
    /// | `redis://[user][:password@]host[:port][/database]` | one server |
    /// | `redis-cluster://[user][:password@]host[:port],…` | some nodes of a Redis Cluster |
    /// | `redis-sentinel://[user][:password@]host[:port],…/master[/database]` | sentinels, by default at port 26379 |
    ///
    /// With `rediss` in place of `redis` the connections are encrypted. What means something else in a URL is written
    /// in percent signs, as everywhere.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), without the URL, which may have a password.
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

    /// The same with a login: the name of an ACL user, `default` where there are none, and a password.
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

    /// The same with a login at the sentinels, which have none by default.
    #[must_use]
    pub fn with_sentinel_login(mut self, user: &str, password: &SecretString) -> Self {
        self.sentinel_login = Some((user.to_owned(), password.clone()));
        self
    }

    /// The same with another prefix, with which every key begins. Programs with different prefixes do not see each other.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if it is empty, longer than 64 characters, or has others than
    /// letters, digits, `:`, `.`, `-` and `_`.
    pub fn with_prefix(mut self, prefix: &str) -> Result<Self> {
        keys::check_prefix(prefix)?;
        prefix.clone_into(&mut self.prefix);
        Ok(self)
    }

    /// The same with other time-outs: how long connecting and one answer may take. A call takes at most both together.
    #[must_use]
    pub fn with_timeouts(mut self, connect: Duration, response: Duration) -> Self {
        (self.connect_timeout, self.response_timeout) = (connect, response);
        self
    }

    /// The same with certificates, in PEM, of who may vouch for an encrypted server, in place of the system's.
    #[must_use]
    pub fn with_root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(pem.into());
        self
    }

    /// The same for stores that are only read: data of an older layout is refused then, instead of brought up to date.
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
