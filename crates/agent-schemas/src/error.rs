//! Errors as they appear on the wire: a code, a message, and the HTTP status that belongs to the code.

use agent_schemas_derive::Record;

/// An error on the wire.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(name = "Error")]
#[record(example = r#"{"code": "MODEL_NOT_FOUND", "message": "Model not found: qwen-max"}"#)]
pub struct ErrorBody {
    /// A machine-readable name.
    #[record(required)]
    pub code: String,
    /// What went wrong, for a person.
    #[record(required)]
    pub message: String,
}

/// Defines [`Error`] and, from the same table, its codes and statuses.
macro_rules! errors {
    ($($(#[$meta:meta])* $variant:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),* } = $status:literal, $code:literal, $message:literal;)*) => {
        /// Why a run, or a request for one, failed.
        ///
        /// An agent returns one of these to choose the code that its client sees. `Display` is the message on the
        /// wire.
        #[derive(Clone, Debug, PartialEq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Error {
            $(
                $(#[$meta])*
                #[error($message)]
                $variant { $($(#[$field_meta])* $field: $type),* },
            )*
            /// A code of the application's own.
            #[error("{message}")]
            Custom {
                /// The HTTP status for answers that are not streams.
                status: u16,
                /// The code.
                code: String,
                /// The message.
                message: String,
            },
        }

        impl Error {
            /// The machine-readable code.
            pub fn code(&self) -> &str {
                match self {
                    $(Error::$variant { .. } => $code,)*
                    Error::Custom { code, .. } => code,
                }
            }

            /// The HTTP status that belongs to the error.
            pub fn http_status(&self) -> u16 {
                match self {
                    $(Error::$variant { .. } => $status,)*
                    Error::Custom { status, .. } => *status,
                }
            }
        }

        /// The HTTP status that belongs to a code; `None` for a code of an application's own.
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
    Authentication { /// What to say; the peer's default is `Authentication failed`.
        message: String } = 401, "AUTH_FAILED", "{message}";
    /// The caller's token is too old.
    TokenExpired { /// What to say; the peer's default is `Token has expired`.
        message: String } = 401, "TOKEN_EXPIRED", "{message}";
    /// The caller's token is wrong.
    InvalidToken { /// What to say; the peer's default is `Invalid token`.
        message: String } = 401, "INVALID_TOKEN", "{message}";
    /// The caller may not do this.
    PermissionDenied { /// What to say; the peer's default is `Permission denied`.
        message: String } = 403, "PERMISSION_DENIED", "{message}";
    /// The caller may not see this.
    AccessDenied { /// What to say; the peer's default is `Access denied`.
        message: String } = 403, "ACCESS_DENIED", "{message}";
    /// Something named does not exist.
    ResourceNotFound { /// What kind of thing.
        resource_type: String, /// Which one.
        resource_id: String } = 404, "RESOURCE_NOT_FOUND", "{resource_type} not found: {resource_id}";
    /// There is no such user.
    UserNotFound { /// Which one.
        user_id: String } = 404, "USER_NOT_FOUND", "User not found: {user_id}";
    /// There is no such task.
    TaskNotFound { /// Which one.
        task_id: String } = 404, "TASK_NOT_FOUND", "Task not found: {task_id}";
    /// A parameter has a wrong value.
    InvalidParameter { /// What to say; the peer's default is `Invalid parameter: NAME`.
        message: String } = 400, "INVALID_PARAMETER", "{message}";
    /// A parameter is missing.
    MissingParameter { /// Its name.
        parameter: String } = 400, "MISSING_PARAMETER", "Missing required parameter: {parameter}";
    /// A parameter did not pass a check.
    ParameterValidation { /// Its name.
        parameter: String, /// What the check said.
        reason: String } = 400, "PARAMETER_VALIDATION", "Parameter validation failed: {parameter} - {reason}";
    /// Something was asked for too often.
    RateLimitExceeded { /// What.
        operation: String, /// When to come back, in seconds; the peer's default is 60.
        retry_after: u64 } = 429, "RATE_LIMIT_EXCEEDED", "Operation {operation} is too frequent, please retry after {retry_after} seconds";
    /// A workflow failed.
    Workflow { /// What to say.
        message: String } = 422, "WORKFLOW_ERROR", "{message}";
    /// An agent failed.
    Agent { /// What to say.
        message: String } = 422, "AGENT_ERROR", "{message}";
    /// A response could not be made.
    Response { /// What to say.
        message: String } = 422, "RESPONSE_ERROR", "{message}";
    /// A database failed.
    Database { /// What to say.
        message: String } = 500, "DATABASE_ERROR", "{message}";
    /// Redis failed.
    Redis { /// What to say.
        message: String } = 500, "REDIS_ERROR", "{message}";
    /// A service that others run failed.
    ExternalService { /// Which one.
        service_name: String, /// What it said.
        message: String } = 500, "EXTERNAL_SERVICE_ERROR", "External service {service_name} error: {message}";
    /// The configuration is wrong.
    Configuration { /// What to say; the peer's default is `Configuration error: KEY`.
        message: String } = 500, "CONFIGURATION_ERROR", "{message}";
    /// The network failed.
    Network { /// What to say.
        message: String } = 503, "NETWORK_ERROR", "{message}";
    /// Something took too long.
    Timeout { /// What.
        operation: String, /// How long it may take, in seconds.
        timeout: u64 } = 504, "TIMEOUT", "Operation {operation} timed out, timeout limit: {timeout} seconds";
    /// A tool failed.
    ToolExecution {} = 422, "TOOL_EXECUTION_FAILED", "Error occurred during tool execution";
    /// There is no such tool.
    ToolNotFound { /// Which one.
        tool_name: String } = 422, "TOOL_NOT_FOUND", "Tool not found: {tool_name}";
    /// An MCP server could not be reached.
    McpConnection {} = 422, "MCP_CONNECTION_FAILED", "Failed to connect to MCP service";
    /// An MCP server broke its protocol.
    McpProtocol {} = 422, "MCP_PROTOCOL_ERROR", "Invalid MCP protocol message format";
    /// A model call failed.
    ModelExecution { /// Which model, and what it said.
        model_name: String } = 422, "MODEL_EXECUTION_FAILED", "Error occurred during execution of model: {model_name}";
    /// A model took too long.
    ModelTimeout { /// Which model.
        model_name: String, /// How long it may take, in seconds.
        timeout: u64 } = 422, "MODEL_TIMEOUT", "Model inference timed out: {model_name}, timeout limit: {timeout} seconds";
    /// There is no such model.
    ModelNotFound { /// Which one.
        model_name: String } = 422, "MODEL_NOT_FOUND", "Model not found: {model_name}";
    /// The model may not be used with the key at hand.
    UnauthorizedModelAccess { /// Which model.
        model_name: String } = 422, "MODEL_UNAUTHORIZED_ACCESS", "Unauthorized access to model: {model_name}";
    /// The model's quota is used up, or it is asked too often.
    ModelQuotaExceeded { /// Which model.
        model_name: String } = 422, "MODEL_QUOTA_EXCEEDED", "Model quota exceeded: {model_name}";
    /// The conversation is too long for the model.
    ModelContextLengthExceeded { /// Which model.
        model_name: String } = 422, "MODEL_CONTEXT_LENGTH_EXCEEDED", "Model context length exceeded: {model_name}";
    /// An agent failed with an error that has no code: its kind and its text.
    UnknownAgent { /// The error's type or kind.
        class: String, /// Its text.
        message: String } = 422, "AGENT_UNKNOWN_ERROR", "Unknown agent error: {class}: {message}";
    /// A run wrote more than its log may hold. Not among the peer's codes.
    OutputLimitExceeded { /// The limit, in bytes.
        limit: usize } = 500, "OUTPUT_LIMIT_EXCEEDED", "The run wrote more than its limit of {limit} bytes";
    /// The server is busy with as many runs as it admits. Not among the peer's codes.
    TooManyRuns { /// How many that are.
        limit: usize } = 429, "TOO_MANY_RUNS", "The server already works on {limit} runs, its limit; try again later";
    /// The process that worked on a run died, and nobody could go on. Not among the peer's codes.
    RunInterrupted { /// Why.
        reason: String } = 500, "RUN_INTERRUPTED", "The run was interrupted: {reason}";
    /// The server is about to stop. Not among the peer's codes.
    ShuttingDown {} = 503, "SHUTTING_DOWN", "The server is shutting down; try again on another one";
}

impl Error {
    /// The error of an agent that failed without a code of its own.
    pub fn unknown(class: impl Into<String>, message: impl Into<String>) -> Self {
        Error::UnknownAgent { class: class.into(), message: message.into() }
    }

    /// The error as it appears on the wire.
    pub fn to_body(&self) -> ErrorBody {
        ErrorBody { code: self.code().to_owned(), message: self.to_string() }
    }
}
