//! URLs of Redis. The driver parses a URL of one server; a URL of several hosts is split into URLs of one host each.

use ::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, TlsMode};

use super::servers::Servers;
use crate::{Error, ErrorKind, Result};

/// The port of sentinels.
const SENTINEL_PORT: u16 = 26379;

/// The parts of a URL with several hosts.
struct Parts<'a> {
    /// `redis` or `rediss`.
    scheme: &'a str,
    /// The login with its `@`, or nothing.
    login: &'a str,
    hosts: Vec<&'a str>,
    path: Vec<&'a str>,
}

pub(super) fn parse(url: &str) -> Result<Servers> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(fault("it should begin with a scheme, such as redis://"));
    };
    match scheme {
        "redis" | "rediss" => Ok(Servers::Standalone(one_server(url)?)),
        "redis-cluster" => cluster(&parts("redis", rest)?),
        "rediss-cluster" => cluster(&parts("rediss", rest)?),
        "redis-sentinel" => sentinel(&parts("redis", rest)?),
        "rediss-sentinel" => sentinel(&parts("rediss", rest)?),
        _ => Err(fault(
            "its scheme should be redis, redis-cluster, redis-sentinel, rediss, rediss-cluster or rediss-sentinel",
        )),
    }
}

fn fault(what: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, "configure Redis", format!("the URL of Redis is invalid: {what}"))
}

/// The driver's message is omitted from the error, because it may quote the URL.
fn one_server(url: &str) -> Result<ConnectionInfo> {
    let info = url.into_connection_info().map_err(|_| {
        fault("it should be redis://[user][:password@]host[:port][/database], with other characters percent-encoded")
    })?;
    if info.redis_settings().username().is_some() && info.redis_settings().password().is_none() {
        return Err(fault("it has a user without a password; write a password alone as :password@"));
    }
    // With version 3 of the protocol, a connection notices at once that the other side has closed it.
    let settings = info.redis_settings().clone().set_protocol(::redis::ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(settings))
}

fn parts<'a>(scheme: &'a str, rest: &'a str) -> Result<Parts<'a>> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = authority.rfind('@').map_or(("", authority), |at| authority.split_at(at + 1));
    let hosts: Vec<&str> = hosts.split(',').collect();
    if hosts.iter().any(|host| host.is_empty()) {
        return Err(fault("a host is empty"));
    }
    Ok(Parts { scheme, login, hosts, path: path.split('/').filter(|part| !part.is_empty()).collect() })
}

fn cluster(parts: &Parts<'_>) -> Result<Servers> {
    if !parts.path.is_empty() {
        return Err(fault("a cluster has no numbered databases; omit the path"));
    }
    let node = |host: &&str| one_server(&format!("{}://{}{host}", parts.scheme, parts.login));
    Ok(Servers::Cluster(parts.hosts.iter().map(node).collect::<Result<_>>()?))
}

fn sentinel(parts: &Parts<'_>) -> Result<Servers> {
    let (master, database) = match parts.path[..] {
        [master] => (master, "0"),
        [master, database] => (master, database),
        _ => {
            return Err(fault(
                "the name of the master should follow the sentinels, as in redis-sentinel://host/mymaster",
            ));
        }
    };
    let sentinel = |host: &&str| {
        let info = one_server(&format!("{}://{host}", parts.scheme))?;
        // The driver's default port is that of Redis.
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        Ok(if has_port { info.addr().clone() } else { with_port(info.addr().clone(), SENTINEL_PORT) })
    };
    let any = parts.hosts.first().copied().unwrap_or_default();
    let login = one_server(&format!("{}://{}{any}/{database}", parts.scheme, parts.login))?;
    Ok(Servers::Sentinel {
        sentinels: parts.hosts.iter().map(sentinel).collect::<Result<_>>()?,
        master: master.to_owned(),
        login: login.redis_settings().clone(),
        tls: (parts.scheme == "rediss").then_some(TlsMode::Secure),
    })
}

fn with_port(address: ConnectionAddr, new: u16) -> ConnectionAddr {
    match address {
        ConnectionAddr::Tcp(host, _) => ConnectionAddr::Tcp(host, new),
        ConnectionAddr::TcpTls { host, insecure, tls_params, .. } => {
            ConnectionAddr::TcpTls { host, port: new, insecure, tls_params }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, addresses: &str) -> Servers {
        let servers = parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!(servers.to_string(), addresses, "{url}");
        servers
    }

    #[test]
    fn url__standalone__is_parsed() {
        check("redis://h", "h:6379");
        check("rediss://h:1/2", "h:1");
        let Servers::Standalone(info) = check("redis://u%40:p%3A@[::1]:7/3", "::1:7") else {
            panic!("one server")
        };
        let settings = info.redis_settings();
        assert_eq!((settings.username(), settings.password(), settings.db()), (Some("u@"), Some("p:"), 3));
    }

    #[test]
    fn url__cluster_or_sentinel__is_parsed() {
        let Servers::Cluster(nodes) = check("rediss-cluster://u:p@a,b:1", "a:6379, b:1") else {
            panic!("a cluster")
        };
        assert!(nodes.iter().all(|node| node.redis_settings().password() == Some("p")));
        assert!(
            nodes.iter().all(|node| matches!(node.addr(), ConnectionAddr::TcpTls { insecure: false, .. }))
        );
        let servers = check("redis-sentinel://:p@a,b:1/mymaster/5", "a:26379, b:1");
        let Servers::Sentinel { master, login, tls, .. } = servers else { panic!("sentinels") };
        assert_eq!((master.as_str(), login.password(), login.db(), tls), ("mymaster", Some("p"), 5, None));
    }

    #[test]
    fn url__invalid__is_refused_without_showing_it() {
        for (url, what) in [
            ("", "begin with a scheme"),
            ("s3cret", "begin with a scheme"),
            ("http://u:s3cret@h", "its scheme"),
            ("redis://u:s3cret@", "should be"),
            ("redis://u:s3cret@h/database", "should be"),
            ("redis://s3cret@h", "without a password"),
            ("redis-cluster://u:s3cret@h,,i", "empty"),
            ("redis-cluster://u:s3cret@h/1", "no numbered databases"),
            ("redis-sentinel://u:s3cret@h", "the name of the master"),
            ("redis-sentinel://u:s3cret@h/m/x", "should be"),
        ] {
            let error = parse(url).expect_err(url);
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(what), "{url}: {error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{url}: {error:?}");
        }
    }
}
