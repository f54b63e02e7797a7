//! Classifies the driver's errors: what they mean for the caller, and whether to retry.

use ::redis::{ErrorKind as Cause, RedisError, ServerErrorKind};

use super::servers::Servers;
use crate::{Error, ErrorKind, WriteFault};

/// What an error says about the connection, and about whether the command was executed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection broke; the command may have been executed.
    Lost,
    /// No reply arrived in time; the command may have been executed.
    TimedOut,
    /// Not executed: the slot is moving to this node.
    Asked(String),
    /// Not executed: another node has the slot, or currently none.
    Elsewhere,
    /// Not executed: this server is read-only, so another one has become the master.
    ReadOnly,
    /// Not executed: the server does not know the script.
    NoScript,
    /// The command was rejected, or failed.
    Refused,
}

impl Fault {
    pub(super) fn of(error: &RedisError) -> Fault {
        if error.is_timeout() {
            return Fault::TimedOut;
        }
        match error.kind() {
            // A cluster's first connection reports a node's error reply as an input error.
            Cause::Io if code(error).is_some() => Fault::Refused,
            // A cluster's connection also uses the second of these for commands that it has already sent.
            Cause::Io | Cause::ClusterConnectionNotFound => Fault::Lost,
            Cause::Server(ServerErrorKind::Ask) => match error.redirect_node() {
                Some((address, _)) => Fault::Asked(address.to_owned()),
                None => Fault::Elsewhere,
            },
            Cause::Server(ServerErrorKind::Moved | ServerErrorKind::TryAgain) => Fault::Elsewhere,
            Cause::Server(ServerErrorKind::ReadOnly) => Fault::ReadOnly,
            Cause::Server(ServerErrorKind::NoScript) => Fault::NoScript,
            _ => Fault::Refused,
        }
    }
}

/// Error codes of servers, and their meaning for the caller.
const CODES: &[(&str, ErrorKind, &str)] = &[
    ("OOM", ErrorKind::Unavailable, "Redis is full; raise its `maxmemory`, or delete data"),
    ("LOADING", ErrorKind::Unavailable, "Redis is still loading its data"),
    ("BUSY", ErrorKind::Unavailable, "Redis is busy with a long script"),
    ("READONLY", ErrorKind::Unavailable, "this Redis server is a read-only replica"),
    ("MASTERDOWN", ErrorKind::Unavailable, "this Redis server has lost its master"),
    ("CLUSTERDOWN", ErrorKind::Unavailable, "the Redis Cluster is down"),
    ("TRYAGAIN", ErrorKind::Unavailable, "the Redis Cluster is moving the data to another node"),
    ("ASK", ErrorKind::Unavailable, "the Redis Cluster is moving the data to another node"),
    ("MOVED", ErrorKind::Unavailable, "could not reach the Redis Cluster node that has the data"),
    ("MISCONF", ErrorKind::Unavailable, "Redis rejects writes because it cannot save its data; see its log"),
    ("NOREPLICAS", ErrorKind::Unavailable, "Redis rejects writes because it has too few replicas"),
    ("ABSENT", ErrorKind::Unavailable, "Redis lacks part of the data, which may be moving to another node"),
    ("WRONGPASS", ErrorKind::Unexpected, "Redis rejected the user or password; check the login"),
    ("NOAUTH", ErrorKind::Unexpected, "Redis requires a password; configure a login"),
    (
        "NOPERM",
        ErrorKind::Unexpected,
        "the Redis user lacks a permission; allow it all commands on the prefix's keys",
    ),
    ("WRONGTYPE", ErrorKind::Unexpected, FOREIGN),
    ("FOREIGN", ErrorKind::Unexpected, FOREIGN),
    ("CROSSSLOT", ErrorKind::Unexpected, NO_CLUSTER),
];

const NO_CLUSTER: &str = "this is a Redis Cluster; use a URL that begins with redis-cluster://";
const FOREIGN: &str = "a key holds data that this program did not write; use another prefix";

/// The row of the table for an error. Some error codes are only found as words inside another error's text.
fn code(error: &RedisError) -> Option<&'static (&'static str, ErrorKind, &'static str)> {
    let by_code = error.code().and_then(|code| CODES.iter().find(|row| row.0 == code));
    by_code.or_else(|| {
        let text = error.to_string();
        let mut words = text.split(|c: char| !c.is_ascii_alphabetic());
        words.find_map(|word| CODES.iter().find(|row| row.0 == word))
    })
}

/// The error that a caller sees.
pub(super) fn error(operation: &'static str, servers: &Servers, cause: RedisError) -> Error {
    let (kind, message) = describe(servers, &cause);
    Error::new(kind, operation, message).with_write_fault(write_fault(&cause)).with_source(cause)
}

/// Why Redis rejects writes, if that is the reason.
fn write_fault(cause: &RedisError) -> Option<WriteFault> {
    match code(cause)?.0 {
        "OOM" => Some(WriteFault::Full),
        "READONLY" | "MISCONF" | "NOREPLICAS" => Some(WriteFault::ReadOnly),
        _ => None,
    }
}

fn describe(servers: &Servers, cause: &RedisError) -> (ErrorKind, String) {
    if Fault::of(cause) == Fault::Elsewhere && !servers.is_cluster() {
        return (ErrorKind::Unexpected, NO_CLUSTER.to_owned());
    }
    if let Some((_, kind, message)) = code(cause) {
        return (*kind, (*message).to_owned());
    }
    // A script gets this error if it uses a key of its slot that has already moved.
    if cause.to_string().contains("access a non local key") {
        let message = "the Redis Cluster is moving the data to another node";
        return (ErrorKind::Unavailable, message.to_owned());
    }
    if cause.kind() == Cause::Io && cause.to_string().contains("certificate") {
        let message = format!(
            "could not verify the certificate of Redis ({servers}); configure its certificate authority, and use a \
             host name that the certificate covers"
        );
        return (ErrorKind::Unexpected, message);
    }
    match cause.kind() {
        Cause::Io if cause.is_timeout() => {
            (ErrorKind::Unavailable, format!("Redis ({servers}) did not answer in time"))
        }
        Cause::Io
        | Cause::ClusterConnectionNotFound
        | Cause::MasterNameNotFoundBySentinel
        | Cause::NoValidReplicasFoundBySentinel => {
            (ErrorKind::Unavailable, format!("could not reach Redis ({servers}), or lost the connection"))
        }
        Cause::AuthenticationFailed => {
            (ErrorKind::Unexpected, "Redis rejected the user or password; check the login".to_owned())
        }
        Cause::RESP3NotSupported => {
            (ErrorKind::Unexpected, "Redis is too old; version 7 or later is required".to_owned())
        }
        _ => (ErrorKind::Unexpected, format!("Redis ({servers}) returned an error")),
    }
}

/// The error for a reply that does not have the form that this program writes.
pub(super) fn foreign(operation: &'static str) -> Error {
    Error::new(ErrorKind::Unexpected, operation, FOREIGN)
}

#[cfg(test)]
mod tests {
    use ::redis::IntoConnectionInfo;

    use super::*;

    fn server(line: &str) -> RedisError {
        let value = ::redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).expect("a value");
        value.extract_error().expect_err("an error")
    }

    fn check(cause: RedisError, kind: ErrorKind, words: &str, fault: Fault) {
        let text = cause.to_string();
        assert_eq!(Fault::of(&cause), fault, "{text}");
        let node = "redis://h:1".into_connection_info().expect("a URL");
        let error = error("try", &Servers::Cluster(vec![node]), cause);
        assert_eq!(error.kind(), kind, "{text}");
        assert!(error.to_string().contains(words), "{text}: {error}");
    }

    #[test]
    fn failure__server_reply__is_classified() {
        let away = ErrorKind::Unavailable;
        let oom = "OOM command not allowed when used memory > 'maxmemory'.";
        check(server(oom), away, "maxmemory", Fault::Refused);
        check(
            server(&format!("ERR Error running script: @user_script:5: -{oom}")),
            away,
            "maxmemory",
            Fault::Refused,
        );
        check(server("LOADING Redis is loading the dataset in memory"), away, "loading", Fault::Refused);
        check(
            server("READONLY You can't write against a read only replica."),
            away,
            "replica",
            Fault::ReadOnly,
        );
        check(server("CLUSTERDOWN The cluster is down"), away, "down", Fault::Refused);
        check(server("MASTERDOWN Link with MASTER is down"), away, "master", Fault::Refused);
        check(
            server("TRYAGAIN Multiple keys request during rehashing of slot"),
            away,
            "moving",
            Fault::Elsewhere,
        );
        check(server("MOVED 1 127.0.0.1:7"), away, "reach", Fault::Elsewhere);
        check(server("ASK 1 127.0.0.1:7"), away, "moving", Fault::Asked("127.0.0.1:7".to_owned()));
        check(server("NOSCRIPT No matching script."), ErrorKind::Unexpected, "error", Fault::NoScript);
        let wrong = ErrorKind::Unexpected;
        check(server("WRONGPASS invalid username-password pair"), wrong, "check the login", Fault::Refused);
        check(server("NOAUTH HELLO must be called"), wrong, "configure a login", Fault::Refused);
        check(server("NOPERM User u has no permissions"), wrong, "permission", Fault::Refused);
        check(server("WRONGTYPE Operation against a key"), wrong, "another prefix", Fault::Refused);
        check(server("FOREIGN data at x"), wrong, "another prefix", Fault::Refused);
        check(server("ERR anything"), wrong, "h:1", Fault::Refused);
    }

    #[test]
    fn failure__network_error__is_classified() {
        let io = |kind| RedisError::from(std::io::Error::from(kind));
        check(io(std::io::ErrorKind::TimedOut), ErrorKind::Unavailable, "in time", Fault::TimedOut);
        check(io(std::io::ErrorKind::BrokenPipe), ErrorKind::Unavailable, "reach", Fault::Lost);
        check(io(std::io::ErrorKind::ConnectionRefused), ErrorKind::Unavailable, "h:1", Fault::Lost);
        let wrapped = RedisError::from((
            Cause::Io,
            "Failed to create initial connections",
            "\"WRONGPASS\": x".to_owned(),
        ));
        check(wrapped, ErrorKind::Unexpected, "check the login", Fault::Refused);
    }
}
