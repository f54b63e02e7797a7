//! The error codes, replayed from upstream's exceptions.

use agent_schemas::error::http_status_of_code;
use agent_schemas::{Error, Json};

use crate::support::{golden_lines, member, replay};

/// Our error for an exception class with these arguments; upstream's default messages are written out.
fn error(class: &str, called_with: &Json) -> Error {
    let given = |key: &str| called_with.get(key).and_then(Json::as_str).map(str::to_owned);
    let need = |key: &str| given(key).unwrap_or_else(|| panic!("{class} without {key}"));
    let number = |key: &str| called_with.get(key).and_then(Json::as_i64).and_then(|n| u64::try_from(n).ok());
    let custom = |status| Error::Custom { status, code: need("code"), message: need("message") };
    match class.strip_suffix("Exception").unwrap() {
        "AppBase" => custom(418),
        "BadRequest" => custom(400),
        "Unauthorized" => custom(401),
        "Forbidden" => custom(403),
        "NotFound" => custom(404),
        "MethodNotAllowed" => custom(405),
        "Conflict" => custom(409),
        "UnprocessableEntity" | "BusinessLogic" | "AgentRuntimeError" => custom(422),
        "TooManyRequests" => custom(429),
        "InternalServerError" | "System" => custom(500),
        "BadGateway" => custom(502),
        "ServiceUnavailable" => custom(503),
        "GatewayTimeout" => custom(504),
        "Authentication" => Error::Authentication { message: "Authentication failed".into() },
        "TokenExpired" => Error::TokenExpired { message: "Token has expired".into() },
        "InvalidToken" => Error::InvalidToken { message: "Invalid token".into() },
        "PermissionDenied" => Error::PermissionDenied { message: "Permission denied".into() },
        "AccessDenied" => Error::AccessDenied { message: "Access denied".into() },
        "ResourceNotFound" => {
            Error::ResourceNotFound { resource_type: need("resource_type"), resource_id: need("resource_id") }
        }
        "UserNotFound" => Error::UserNotFound { user_id: need("user_id") },
        "TaskNotFound" => Error::TaskNotFound { task_id: need("task_id") },
        "InvalidParameter" => {
            let default = format!("Invalid parameter: {}", need("parameter"));
            Error::InvalidParameter { message: given("message").unwrap_or(default) }
        }
        "MissingParameter" => Error::MissingParameter { parameter: need("parameter") },
        "ParameterValidation" => {
            Error::ParameterValidation { parameter: need("parameter"), reason: need("validation_error") }
        }
        "RateLimitExceeded" => Error::RateLimitExceeded {
            operation: need("operation"),
            retry_after: number("retry_after").unwrap_or(60),
        },
        "Workflow" => Error::Workflow { message: need("message") },
        "Agent" => Error::Agent { message: need("message") },
        "Response" => Error::Response { message: need("message") },
        "Database" => Error::Database { message: need("message") },
        "Redis" => Error::Redis { message: need("message") },
        "ExternalService" => {
            Error::ExternalService { service_name: need("service_name"), message: need("message") }
        }
        "Configuration" => {
            let default = format!("Configuration error: {}", need("config_key"));
            Error::Configuration { message: given("message").unwrap_or(default) }
        }
        "Network" => Error::Network { message: need("message") },
        "Timeout" => {
            Error::Timeout { operation: need("operation"), timeout: number("timeout").unwrap_or_default() }
        }
        "ToolExecution" => Error::ToolExecution {},
        "ToolNotFound" => Error::ToolNotFound { tool_name: need("tool_name") },
        "MCPConnection" => Error::McpConnection {},
        "MCPProtocol" => Error::McpProtocol {},
        "ModelExecution" => Error::ModelExecution { model_name: need("model_name") },
        "ModelTimeout" => Error::ModelTimeout {
            model_name: need("model_name"),
            timeout: number("timeout").unwrap_or_default(),
        },
        "ModelNotFound" => Error::ModelNotFound { model_name: need("model_name") },
        "UnauthorizedModelAccess" => Error::UnauthorizedModelAccess { model_name: need("model_name") },
        "UnknownAgent" => match given("original_exception").as_deref() {
            Some("ValueError('x')") => Error::unknown("ValueError", "x"),
            _ => Error::unknown("", ""),
        },
        "ModelQuotaExceeded" => Error::ModelQuotaExceeded { model_name: need("model_name") },
        "ModelContextLengthExceeded" => Error::ModelContextLengthExceeded { model_name: need("model_name") },
        other => panic!("{other}"),
    }
}

#[test]
fn errors__match_golden() {
    let file = "v115/exceptions.jsonl";
    replay(file, &golden_lines(file), |case| {
        let class = member(case, "class").as_str().unwrap();
        let called_with = member(case, "called_with");
        let ours = error(class, called_with);
        let line = |status: i64, code: &str, message: &str| format!("[{status}] {code}: {message}");
        let body = ours.to_body();
        let text = |key| member(case, key).as_str().unwrap();
        (
            format!("{class} {called_with}"),
            line(ours.http_status().into(), &body.code, &body.message),
            line(member(case, "status").as_i64().unwrap(), text("code"), text("message")),
        )
    });
}

#[test]
fn http_status_of_code__known_codes__match_golden() {
    for case in golden_lines("v115/exceptions.jsonl") {
        let code = member(&case, "code").as_str().unwrap();
        let status = || member(&case, "status").as_i64().unwrap();
        let expected = match code {
            "<code>" => None,
            // See the differences: upstream's is 422.
            "AGENT_UNKNOWN_ERROR" => Some(500),
            _ => Some(status()),
        };
        assert_eq!(http_status_of_code(code).map(i64::from), expected, "{code}");
    }
}
