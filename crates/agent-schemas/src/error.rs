//! Errors as they appear on the wire: a code, a message, and the HTTP status of each code.

use agent_schemas_derive::Record;

/// An error on the wire.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(name = "Error")]
#[record(example = r#"{"code": "MODEL_NOT_FOUND", "message": "Model not found: qwen-max"}"#)]
#[non_exhaustive]
pub struct ErrorBody {
    /// A machine-readable code.
    #[record(required)]
    pub code: String,
    /// A human-readable description.
    #[record(required)]
    pub message: String,
    /// When the same request may succeed, in seconds; absent if that is unknown.
    #[record(omitted)]
    pub retry_after: Option<i64>,
    /// The HTTP status of responses that are not streams; absent if it is the one that belongs to the code.
    #[record(omitted)]
    pub status: Option<i64>,
}

impl ErrorBody {
    /// An error with the status of its code.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        ErrorBody { code: code.into(), message: message.into(), status: None, retry_after: None }
    }

    /// The same with this HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(i64::from(status)).filter(|_| http_status_of_code(&self.code) != Some(status));
        self
    }

    /// The same for a client that should wait this many seconds before it tries again.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(i64::try_from(seconds).unwrap_or(i64::MAX));
        self
    }

    /// The HTTP status: its own, or that of its code; 500 if neither is the status of an error.
    pub fn http_status(&self) -> u16 {
        let own = self.status.and_then(|status| u16::try_from(status).ok());
        let status = own.or_else(|| http_status_of_code(&self.code));
        status.filter(|status| (400..600).contains(status)).unwrap_or(500)
    }
}

/// Defines [`Error`] and, from the same table, its codes and statuses.
macro_rules! errors {
    ($($(#[$meta:meta])* $variant:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),* } = $status:literal, $code:literal, $message:literal;)*) => {
        /// Why a run, or a request for one, failed.
        ///
        /// An agent returns one of these to choose the code that its client sees. `Display` is the message on the wire.
        #[derive(Clone, Debug, PartialEq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Error {
            $(
                $(#[$meta])*
                #[error($message)]
                $variant { $($(#[$field_meta])* $field: $type),* },
            )*
            /// An application-defined code.
            #[error("{message}")]
            Custom {
                /// The HTTP status for responses that are not streams.
                status: u16,
                /// The code.
                code: String,
                /// The message.
                message: String,
            },
            /// An error as it appears on the wire, such as another error's [`to_body`](Error::to_body) with another status or
            /// a time to wait.
            #[error("{}", .0.message)]
            Body(ErrorBody),
        }

        impl Error {
            /// The machine-readable code.
            pub fn code(&self) -> &str {
                match self {
                    $(Error::$variant { .. } => $code,)*
                    Error::Custom { code, .. } => code,
                    Error::Body(body) => &body.code,
                }
            }

            /// The HTTP status of the error.
            pub fn http_status(&self) -> u16 {
                match self {
                    $(Error::$variant { .. } => $status,)*
                    Error::Custom { status, .. } => *status,
                    Error::Body(body) => body.http_status(),
                }
            }
        }

        /// The HTTP status of a code; `None` for an application-defined code.
        pub fn http_status_of_code(code: &str) -> Option<u16> {
            match code {
                $($code => Some($status),)*
                _ => None,
            }
        }
    };
}

errors! {
    /// The caller could not be identified.
    Authentication { /// The message; upstream's default is `Authentication failed`.
        message: String } = 401, "AUTH_FAILED", "{message}";
    /// The caller's token has expired.
    TokenExpired { /// The message; upstream's default is `Token has expired`.
        message: String } = 401, "TOKEN_EXPIRED", "{message}";
    /// The caller's token is invalid.
    InvalidToken { /// The message; upstream's default is `Invalid token`.
        message: String } = 401, "INVALID_TOKEN", "{message}";
    /// The caller may not perform this operation.
    PermissionDenied { /// The message; upstream's default is `Permission denied`.
        message: String } = 403, "PERMISSION_DENIED", "{message}";
    /// The caller may not access this resource.
    AccessDenied { /// The message; upstream's default is `Access denied`.
        message: String } = 403, "ACCESS_DENIED", "{message}";
    /// The resource does not exist.
    ResourceNotFound { /// The type of the resource.
        resource_type: String, /// Its id.
        resource_id: String } = 404, "RESOURCE_NOT_FOUND", "{resource_type} not found: {resource_id}";
    /// The user does not exist.
    UserNotFound { /// Its id.
        user_id: String } = 404, "USER_NOT_FOUND", "User not found: {user_id}";
    /// The task does not exist.
    TaskNotFound { /// Its id.
        task_id: String } = 404, "TASK_NOT_FOUND", "Task not found: {task_id}";
    /// A parameter is invalid.
    InvalidParameter { /// The message; upstream's default is `Invalid parameter: NAME`.
        message: String } = 400, "INVALID_PARAMETER", "{message}";
    /// A parameter is missing.
    MissingParameter { /// Its name.
        parameter: String } = 400, "MISSING_PARAMETER", "Missing required parameter: {parameter}";
    /// A parameter failed validation.
    ParameterValidation { /// Its name.
        parameter: String, /// Why validation failed.
        reason: String } = 400, "PARAMETER_VALIDATION", "Parameter validation failed: {parameter} - {reason}";
    /// An operation was called too often.
    RateLimitExceeded { /// The operation.
        operation: String, /// When to retry, in seconds; upstream's default is 60.
        retry_after: u64 } = 429, "RATE_LIMIT_EXCEEDED", "Operation {operation} is too frequent, please retry after {retry_after} seconds";
    /// A workflow failed.
    Workflow { /// The message.
        message: String } = 422, "WORKFLOW_ERROR", "{message}";
    /// An agent failed.
    Agent { /// The message.
        message: String } = 422, "AGENT_ERROR", "{message}";
    /// A response could not be generated.
    Response { /// The message.
        message: String } = 422, "RESPONSE_ERROR", "{message}";
    /// A database failed.
    Database { /// The message.
        message: String } = 500, "DATABASE_ERROR", "{message}";
    /// Redis failed.
    Redis { /// The message.
        message: String } = 500, "REDIS_ERROR", "{message}";
    /// An external service failed.
    ExternalService { /// Its name.
        service_name: String, /// Its error message.
        message: String } = 500, "EXTERNAL_SERVICE_ERROR", "External service {service_name} error: {message}";
    /// The configuration is invalid.
    Configuration { /// The message; upstream's default is `Configuration error: KEY`.
        message: String } = 500, "CONFIGURATION_ERROR", "{message}";
    /// The network failed.
    Network { /// The message.
        message: String } = 503, "NETWORK_ERROR", "{message}";
    /// An operation timed out.
    Timeout { /// The operation.
        operation: String, /// The limit, in seconds.
        timeout: u64 } = 504, "TIMEOUT", "Operation {operation} timed out, timeout limit: {timeout} seconds";
    /// A tool failed.
    ToolExecution {} = 422, "TOOL_EXECUTION_FAILED", "Error occurred during tool execution";
    /// The tool does not exist.
    ToolNotFound { /// Its name.
        tool_name: String } = 422, "TOOL_NOT_FOUND", "Tool not found: {tool_name}";
    /// An MCP server could not be reached.
    McpConnection {} = 422, "MCP_CONNECTION_FAILED", "Failed to connect to MCP service";
    /// An MCP server violated the protocol.
    McpProtocol {} = 422, "MCP_PROTOCOL_ERROR", "Invalid MCP protocol message format";
    /// A model call failed. Upstream's status is 422, as it is for the five errors after this one.
    ModelExecution { /// The model and its error message.
        model_name: String } = 502, "MODEL_EXECUTION_FAILED", "Error occurred during execution of model: {model_name}";
    /// A model call timed out.
    ModelTimeout { /// The name of the model.
        model_name: String, /// The limit, in seconds.
        timeout: u64 } = 504, "MODEL_TIMEOUT", "Model inference timed out: {model_name}, timeout limit: {timeout} seconds";
    /// The model does not exist.
    ModelNotFound { /// Its name.
        model_name: String } = 404, "MODEL_NOT_FOUND", "Model not found: {model_name}";
    /// The API key may not use the model.
    UnauthorizedModelAccess { /// The name of the model.
        model_name: String } = 502, "MODEL_UNAUTHORIZED_ACCESS", "Unauthorized access to model: {model_name}";
    /// The model's quota is exhausted, or its rate limit is exceeded.
    ModelQuotaExceeded { /// The name of the model.
        model_name: String } = 429, "MODEL_QUOTA_EXCEEDED", "Model quota exceeded: {model_name}";
    /// The conversation exceeds the model's context length.
    ModelContextLengthExceeded { /// The name of the model.
        model_name: String } = 400, "MODEL_CONTEXT_LENGTH_EXCEEDED", "Model context length exceeded: {model_name}";
    /// An agent failed with an error that has no code: the error's type and its message. A run shows neither to its
    /// client, because they may contain details that are not for the client. Upstream's status is 422.
    UnknownAgent { /// The error's type or kind.
        class: String, /// Its message.
        message: String } = 500, "AGENT_UNKNOWN_ERROR", "Unknown agent error: {class}: {message}";
    /// A run exceeded the size limit of its log. Not one of upstream's codes.
    OutputLimitExceeded { /// The limit, in bytes.
        limit: usize } = 500, "OUTPUT_LIMIT_EXCEEDED", "The log of the run exceeded its limit of {limit} bytes (runs.log_bytes)";
    /// The server has reached its limit of concurrent runs. Not one of upstream's codes.
    TooManyRuns { /// The limit.
        limit: usize } = 429, "TOO_MANY_RUNS", "The server has reached its limits of {limit} concurrent runs (runs.max_runs) and of waiting runs (runs.max_waiting); try again later";
    /// The runs of the server have reached their memory limit. Not one of upstream's codes.
    MemoryLimitExceeded { /// The limit, in bytes.
        limit: usize } = 503, "MEMORY_LIMIT_EXCEEDED", "The runs of this server have reached the memory limit of {limit} bytes (runs.memory_bytes); try again later";
    /// The process that executed the run died and the run could not continue. Not one of upstream's codes.
    RunInterrupted { /// The reason.
        reason: String } = 500, "RUN_INTERRUPTED", "The run was interrupted: {reason}";
    /// A store is unavailable. Not one of upstream's codes.
    StoreUnavailable {} = 503, "STORE_UNAVAILABLE", "The store is unavailable; try again later";
    /// The stored data of the run cannot be read, so it could not be executed to its end. Not one of upstream's codes.
    RunDamaged {} = 500, "RUN_DAMAGED", "The stored data of this run could not be read, so the server ended it; repeat the request";
    /// The server is shutting down. Not one of upstream's codes.
    ShuttingDown {} = 503, "SHUTTING_DOWN", "The server is shutting down; retry on another server";
}

impl Error {
    /// The error of an agent that failed without a code.
    pub fn unknown(class: impl Into<String>, message: impl Into<String>) -> Self {
        Error::UnknownAgent { class: class.into(), message: message.into() }
    }

    /// The error as it appears on the wire.
    pub fn to_body(&self) -> ErrorBody {
        if let Error::Body(body) = self {
            return body.clone();
        }
        let body = ErrorBody::new(self.code(), self.to_string()).with_status(self.http_status());
        match self {
            Error::RateLimitExceeded { retry_after, .. } => body.with_retry_after(*retry_after),
            _ => body,
        }
    }
}

impl From<ErrorBody> for Error {
    fn from(body: ErrorBody) -> Self {
        Error::Body(body)
    }
}
