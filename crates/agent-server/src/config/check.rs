//! Checks the form of web origins, hosts and paths. Values that could never match are rejected.

use axum::http::uri::Authority;

/// Checks a web origin, such as `https://app.example`; the error says what is wrong.
pub(super) fn origin(origin: &str) -> Result<(), String> {
    if origin == "*" {
        return Ok(());
    }
    if origin == "null" {
        return Err("is what any sandboxed page sends; to allow all pages, use '*'".to_owned());
    }
    let Some((scheme, rest)) = origin.split_once("://") else {
        return Err("has no scheme; write it as 'https://app.example'".to_owned());
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if !is_scheme {
        return Err("should begin with a scheme in lower case, such as 'https://'".to_owned());
    }
    if let Some(end) = rest.find(['/', '?', '#']) {
        return Err(format!("should end after host and port: write '{scheme}://{}'", &rest[..end]));
    }
    authority(rest)?;
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return Ok(()),
    };
    match rest.strip_suffix(default_port) {
        Some(host) => {
            Err(format!("has the default port, which browsers leave out: write '{scheme}://{host}'"))
        }
        None => Ok(()),
    }
}

/// Checks a host that requests may name, such as `app.example`; the error says what is wrong.
pub(super) fn host(host: &str) -> Result<(), String> {
    if host == "*" {
        return Ok(());
    }
    if host.contains("://") || host.contains('/') {
        return Err("should be a host name only, such as 'app.example'".to_owned());
    }
    if host.parse::<std::net::Ipv6Addr>().is_ok() {
        return Err(format!("is an IPv6 address: write '[{host}]'"));
    }
    if authority(host)?.port().is_some() {
        return Err("should have no port, because any port is allowed".to_owned());
    }
    Ok(())
}

fn authority(text: &str) -> Result<Authority, String> {
    if text.contains('*') {
        return Err("has a wildcard: list each value, or allow all with '*'".to_owned());
    }
    if !text.is_ascii() {
        return Err("should be written in ASCII, as browsers send it (xn--…)".to_owned());
    }
    let authority = text.parse::<Authority>().ok().filter(|authority| {
        let (host, after) = (authority.host(), authority.as_str().strip_prefix(authority.host()));
        let has_good_port = after.is_some_and(|port| port.is_empty() || authority.port_u16().is_some());
        !host.is_empty() && has_good_port
    });
    authority.ok_or_else(|| "should have a host and, if needed, a port".to_owned())
}

/// Checks the path that starts runs; the error says what is wrong.
pub(super) fn endpoint_path(path: &str) -> Result<(), String> {
    let is_path = path.starts_with('/') && path.len() > 1 && !path.ends_with('/');
    let is_plain = !path.contains(['{', '}', '?', '#', '%', ':', '*', '\\']);
    if is_path && is_plain && path.bytes().all(|byte| byte.is_ascii_graphic()) && !path.contains("//") {
        Ok(())
    } else {
        Err("should look like '/process'".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(check: fn(&str) -> Result<(), String>, value: &str, expected: &str) {
        let found = check(value).err().unwrap_or_default();
        assert_eq!(found.is_empty(), expected.is_empty(), "{value}: {found}");
        assert!(found.contains(expected), "{value}: {found}");
    }

    #[test]
    fn origin__that_no_browser_sends__is_refused() {
        for good in [
            "*",
            "https://app.example",
            "http://10.0.0.1:3000",
            "https://[fd00::1]:8443",
            "chrome-extension://abcdef",
            "https://App.Example",
        ] {
            check(origin, good, "");
        }
        check(origin, "app.example", "has no scheme");
        check(origin, "localhost:3000", "has no scheme");
        check(origin, "", "has no scheme");
        check(origin, "null", "sandboxed");
        check(origin, "https://app.example/", "write 'https://app.example'");
        check(origin, "https://app.example/path?x", "write 'https://app.example'");
        check(origin, "https://app.example:443", "write 'https://app.example'");
        check(origin, "http://app.example:80", "write 'http://app.example'");
        check(origin, "https://*.example", "wildcard");
        check(origin, "https://", "host");
        check(origin, "https://:8080", "host");
        check(origin, "https://app.example:port", "host");
        check(origin, "https://app.example:99999", "port");
        check(origin, "https://user@app.example", "host");
        check(origin, "https://b ü.example", "ASCII");
        check(origin, "HTTPS://app.example", "lower case");
        check(origin, "https://a.example https://b.example", "write");
    }

    #[test]
    fn host__that_no_request_names__is_refused() {
        for good in ["*", "app.example", "10.0.0.1", "[fd00::1]", "App.Example"] {
            check(host, good, "");
        }
        check(host, "https://app.example", "host name only");
        check(host, "app.example:8080", "no port");
        check(host, "fd00::1", "write '[fd00::1]'");
        check(host, "*.example", "wildcard");
        check(host, "", "host");
        check(host, "a b", "host");
    }

    #[test]
    fn endpoint_path__odd__is_refused() {
        for good in ["/process", "/api/chat", "/v2/agents.run"] {
            check(endpoint_path, good, "");
        }
        for bad in ["", "/", "process", "/process/", "/a/{b}", "/a b", "/a?b", "/a//b", "//a", "/ä", "/a%20b"]
        {
            check(endpoint_path, bad, "should look like '/process'");
        }
    }
}
