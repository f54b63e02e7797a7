//! JSON-RPC 2.0 messages as MCP restricts them (2026-07-28, basic, "Messages").

use agent_schemas::{Json, JsonObject, object};
use agent_server::protocol::{ApiError, ErrorInfo};
use http::StatusCode;

/// The maximum length of an id or of a token, in bytes: the server keeps them.
const MAX_ID: usize = 256;

/// A message of a client.
#[derive(Debug)]
pub(crate) enum Message {
    Request(Request),
    Notification(Notification),
    /// The result of a request that the server has sent. A client that cannot answer sends an error.
    Response {
        id: Id,
        result: Result<JsonObject, JsonObject>,
    },
}

/// A request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: Id,
    pub(crate) method: String,
    pub(crate) params: JsonObject,
}

/// A message that nobody answers.
#[derive(Debug)]
pub(crate) struct Notification {
    pub(crate) method: String,
    pub(crate) params: JsonObject,
}

/// The id of a request: a string or an integer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Id(Json);

impl Id {
    /// An id, if the value is one.
    pub(crate) fn of(value: &Json) -> Option<Self> {
        let is_id = value.as_str().is_some_and(|id| id.len() <= MAX_ID) || value.as_i64().is_some();
        is_id.then(|| Id(value.clone()))
    }

    pub(crate) fn to_json(&self) -> Json {
        self.0.clone()
    }

    /// The id, if it is a string.
    pub(crate) fn as_text(&self) -> Option<&str> {
        self.0.as_str()
    }
}

impl Message {
    /// The id of a message, if it has a valid one.
    pub(crate) fn id(members: &JsonObject) -> Option<Id> {
        members.get("id").and_then(Id::of)
    }

    /// Reads a message.
    pub(crate) fn read(mut members: JsonObject) -> Result<Self, RpcError> {
        let id = Message::id(&members);
        let fault = |text: &str| RpcError::invalid_request(text);
        if members.get("jsonrpc").and_then(Json::as_str) != Some("2.0") {
            return Err(fault("jsonrpc should be \"2.0\""));
        }
        if members.contains_key("id") && id.is_none() {
            return Err(fault("id should be an integer, or a string of at most 256 bytes"));
        }
        let params = match members.shift_remove("params") {
            None => JsonObject::new(),
            Some(Json::Object(params)) => params,
            Some(_) => return Err(fault("params should be an object")),
        };
        match (members.shift_remove("method"), id) {
            (Some(Json::String(method)), Some(id)) => Ok(Message::Request(Request { id, method, params })),
            (Some(Json::String(method)), None) => Ok(Message::Notification(Notification { method, params })),
            (Some(_), _) => Err(fault("method should be a string")),
            (None, Some(id)) => match (members.shift_remove("result"), members.shift_remove("error")) {
                (Some(Json::Object(result)), None) => Ok(Message::Response { id, result: Ok(result) }),
                (None, Some(Json::Object(error))) => Ok(Message::Response { id, result: Err(error) }),
                _ => Err(fault("a message should have a method, or either a result or an error")),
            },
            (None, None) => Err(fault("a message should have a method")),
        }
    }
}

/// An error response, and the HTTP status that it has if it is not in a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RpcError {
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) data: Option<Json>,
    pub(crate) status: StatusCode,
}

impl RpcError {
    fn new(code: i64, status: StatusCode, message: impl Into<String>) -> Self {
        RpcError { code, message: message.into(), data: None, status }
    }

    fn with_data(mut self, data: impl Into<Json>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// The message is not JSON.
    pub(crate) fn parse(message: impl Into<String>) -> Self {
        RpcError::new(-32700, StatusCode::BAD_REQUEST, message)
    }

    /// The message is JSON, but not one of JSON-RPC.
    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        RpcError::new(-32600, StatusCode::BAD_REQUEST, message)
    }

    /// The method does not exist in the client's version.
    pub(crate) fn unknown_method(method: &str) -> Self {
        RpcError::new(-32601, StatusCode::NOT_FOUND, format!("There is no method '{method}'"))
    }

    /// The parameters are wrong, or name something that does not exist.
    pub(crate) fn invalid_params(message: impl Into<String>) -> Self {
        RpcError::new(-32602, StatusCode::BAD_REQUEST, message)
    }

    /// The server failed; the reason is in its log.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        RpcError::new(-32603, StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// There is no such resource (2025-11-25, server/resources, "Error Handling"; another code since 2026-07-28).
    pub(crate) fn no_resource(uri: &str, is_modern: bool) -> Self {
        let code = if is_modern { -32602 } else { -32002 };
        let message = format!("There is no resource '{uri}'");
        RpcError::new(code, StatusCode::BAD_REQUEST, message).with_data(object! { "uri" => uri })
    }

    /// A header contradicts the body (2026-07-28, streamable HTTP, "Server Validation").
    pub(crate) fn header_mismatch(message: impl Into<String>) -> Self {
        RpcError::new(-32020, StatusCode::BAD_REQUEST, message)
    }

    /// The client does not have a capability that the request needs, given by its name.
    pub(crate) fn missing_capability(name: &str) -> Self {
        let message = format!("The agent needs a client that supports {name}");
        let data = object! { "requiredCapabilities" => object! { name => JsonObject::new() } };
        RpcError::new(-32021, StatusCode::BAD_REQUEST, message).with_data(data)
    }

    /// The server does not speak the requested version.
    pub(crate) fn unsupported_version(requested: &str, supported: Json) -> Self {
        let data = object! { "supported" => supported, "requested" => requested };
        let message = format!("The protocol version '{requested}' is not supported");
        RpcError::new(-32022, StatusCode::BAD_REQUEST, message).with_data(data)
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    fn to_json(&self) -> JsonObject {
        let mut error = object! { "code" => self.code, "message" => self.message.as_str() };
        if let Some(data) = &self.data {
            error.insert("data".to_owned(), data.clone());
        }
        error
    }
}

/// Errors of the server outside of MCP: the code says whose fault it is, and the data what the server calls it.
impl From<&ErrorInfo> for RpcError {
    fn from(error: &ErrorInfo) -> Self {
        let is_fault = error.status.is_client_error() && error.status != StatusCode::TOO_MANY_REQUESTS;
        let code = if is_fault { -32602 } else { -32603 };
        let mut data = object! { "code" => error.code.as_str() };
        if let Some(seconds) = error.retry_after {
            data.insert(
                "retryAfterSeconds".to_owned(),
                Json::from(i64::try_from(seconds).unwrap_or(i64::MAX)),
            );
        }
        let message = match &error.parameter {
            Some(parameter) => format!("{parameter}: {}", error.message),
            None => error.message.clone(),
        };
        RpcError::new(code, error.status, message).with_data(data)
    }
}

impl From<ApiError> for RpcError {
    fn from(error: ApiError) -> Self {
        RpcError::from(&error.info())
    }
}

impl From<agent_services::Error> for RpcError {
    fn from(error: agent_services::Error) -> Self {
        ApiError::from(error).into()
    }
}

/// A response with a result.
pub(crate) fn result(id: &Id, result: JsonObject) -> JsonObject {
    object! { "jsonrpc" => "2.0", "id" => id.to_json(), "result" => result }
}

/// A response with an error, without an id if the request's is not known.
pub(crate) fn error(id: Option<&Id>, error: &RpcError) -> JsonObject {
    let mut response = object! { "jsonrpc" => "2.0" };
    if let Some(id) = id {
        response.insert("id".to_owned(), id.to_json());
    }
    response.insert("error".to_owned(), error.to_json().into());
    response
}

/// A request of the server.
pub(crate) fn request(id: &str, method: &str, params: JsonObject) -> JsonObject {
    object! { "jsonrpc" => "2.0", "id" => id, "method" => method, "params" => params }
}

/// A notification of the server.
pub(crate) fn notification(method: &str, params: JsonObject) -> JsonObject {
    object! { "jsonrpc" => "2.0", "method" => method, "params" => params }
}
