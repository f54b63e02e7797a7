//! The headers that repeat parts of a request (2026-07-28, streamable HTTP, "Request Metadata").

use agent_schemas::{Json, JsonObject};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;

use crate::client::Client;
use crate::methods::tools::headers_of;
use crate::rpc::{Request, RpcError};

pub(crate) const VERSION: &str = "mcp-protocol-version";

/// The version in a request's header.
pub(crate) fn version(headers: &HeaderMap) -> Option<&str> {
    headers.get(VERSION)?.to_str().ok().map(str::trim)
}

/// Checks that the header has the version of the body, if that has one.
pub(crate) fn check_version(headers: &HeaderMap, request: &Request) -> Result<(), RpcError> {
    match Client::version_in(&request.params) {
        Some(version) => same(headers, "MCP-Protocol-Version", Some(version), false),
        None => Ok(()),
    }
}

/// Checks that the headers say the same as the body.
pub(crate) fn check(headers: &HeaderMap, request: &Request) -> Result<(), RpcError> {
    same(headers, "Mcp-Method", Some(&request.method), false)?;
    let key = match request.method.as_str() {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        _ => return Ok(()),
    };
    same(headers, "Mcp-Name", request.params.get(key).and_then(Json::as_str), true)
}

/// Checks the headers that repeat arguments of a tool.
pub(crate) fn check_arguments(
    headers: &HeaderMap,
    schema: &JsonObject,
    request: &Request,
) -> Result<(), RpcError> {
    let arguments = request.params.get("arguments");
    for (path, name) in headers_of(schema) {
        let value =
            path.iter().try_fold(arguments, |value, key| Some(value?.as_object()?.get(key))).flatten();
        let name = format!("Mcp-Param-{name}");
        match value {
            None | Some(Json::Null) => same(headers, &name, None, true)?,
            Some(Json::String(text)) => same(headers, &name, Some(text), true)?,
            Some(Json::Number(number)) => {
                let number = Json::Number(number.clone()).to_string();
                // `42.0` is `42`.
                let header =
                    headers.get(&name).and_then(|value| value.to_str().ok()?.trim().parse::<f64>().ok());
                if header.is_none() || header != number.parse().ok() {
                    same(headers, &name, Some(&number), true)?;
                }
            }
            Some(other) => same(headers, &name, Some(&other.to_string()), true)?,
        }
    }
    Ok(())
}

/// Checks that a header has a value, and nothing else. Some headers may be encoded.
fn same(
    headers: &HeaderMap,
    name: &str,
    expected: Option<&str>,
    may_be_encoded: bool,
) -> Result<(), RpcError> {
    let fault = |text: &str| RpcError::header_mismatch(format!("The header {name} {text}"));
    let mut values = headers.get_all(name).iter();
    let (value, expected) = match (values.next(), expected) {
        (None, None) => return Ok(()),
        (None, Some(_)) => return Err(fault("is missing")),
        (Some(_), None) => return Err(fault("has no counterpart in the body")),
        (Some(value), Some(expected)) => (value, expected),
    };
    if values.next().is_some() {
        return Err(fault("is there twice"));
    }
    let value = value.to_str().map_err(|_| fault("has invalid characters"))?.trim_matches([' ', '\t']);
    let encoded = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="));
    let decoded = match encoded.filter(|_| may_be_encoded) {
        Some(encoded) => {
            let bytes = STANDARD.decode(encoded).map_err(|_| fault("is not valid Base64"))?;
            String::from_utf8(bytes).map_err(|_| fault("is not UTF-8"))?
        }
        None => value.to_owned(),
    };
    if decoded == expected { Ok(()) } else { Err(fault("differs from the body")) }
}

#[cfg(test)]
mod tests {
    use agent_schemas::object;

    use super::*;
    use crate::rpc::Id;

    fn check_region(header: Option<&str>, value: impl Into<Json>) -> Result<(), RpcError> {
        let property = object! { "type" => "string", "x-mcp-header" => "Region" };
        let schema = object! { "properties" => object! { "region" => property } };
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert("mcp-param-region", header.parse().expect("a header"));
        }
        let params = object! { "arguments" => object! { "region" => value.into() } };
        let id = Id::of(&1.into()).expect("an id");
        check_arguments(&headers, &schema, &Request { id, method: "tools/call".to_owned(), params })
    }

    #[test]
    fn argument__in_its_header__is_accepted() {
        for (header, value) in [
            (Some("Hello"), Json::from("Hello")),
            (Some("=?base64?SGVsbG8=?="), "Hello".into()),
            (Some("SGVsbG8="), "SGVsbG8=".into()),
            (Some("=?base64?SGVsbG8="), "=?base64?SGVsbG8=".into()),
            (Some("42.0"), 42.into()),
            (Some("true"), true.into()),
            (None, Json::Null),
        ] {
            assert_eq!(check_region(header, value.clone()), Ok(()), "{header:?} {value}");
        }
    }

    #[test]
    fn argument__not_in_its_header__is_refused() {
        for (header, value) in [
            (None, Json::from("Hello")),
            (Some("hello"), "Hello".into()),
            (Some("=?base64?SGVsbG8?="), "Hello".into()),
            (Some("=?base64?SGVs!!!bG8=?="), "Hello".into()),
            (Some("=?base64?/w==?="), "Hello".into()),
            (Some("x"), Json::Null),
            (Some("42.0"), "42".into()),
            (Some("43"), 42.into()),
            (None, 42.into()),
        ] {
            let refused = check_region(header, value.clone()).expect_err("a mismatch");
            assert_eq!(refused.code, -32020, "{header:?} {value}");
        }
    }
}
