//! What tool calls and their outputs carry in the `data` of a data content.

use agent_schemas_derive::Record;

use crate::decode::FromJson;
use crate::json::{Json, JsonObject};

/// Gives records their form in a data content.
macro_rules! payloads {
    ($($name:ident),* $(,)?) => {$(
        impl $name {
            /// The object that a data content carries, with every key present.
            pub fn into_data(self) -> JsonObject {
                match Json::from_serialize(&self) {
                    Ok(Json::Object(members)) => members,
                    _ => JsonObject::new(),
                }
            }

            /// Reads the payload from a data content's object.
            ///
            /// # Errors
            /// The first fault, with its place.
            pub fn from_data(data: &JsonObject) -> Result<Self, crate::ValidationError> {
                Self::from_json(Json::Object(data.clone()))
            }
        }
    )*};
}

payloads!(
    FunctionCall,
    FunctionCallOutput,
    McpCall,
    McpCallOutput,
    McpListTools,
    McpListToolsTool,
    McpApprovalRequest,
    McpApprovalResponse,
    ToolCall,
    ToolCallOutput,
);

/// A call of a function or plugin; rides in messages of type `function_call` and `plugin_call`.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(
    example = r#"{"call_id": "call_1", "name": "calculator", "arguments": "{\"expression\":\"6 * 7\"}"}"#
)]
pub struct FunctionCall {
    /// Names the call; its output names it too.
    pub call_id: Option<String>,
    /// The tool's name.
    pub name: Option<String>,
    /// The arguments as JSON text.
    pub arguments: Option<String>,
}

/// What a function or plugin answered; rides in `function_call_output` and `plugin_call_output`.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{"call_id": "call_1", "name": "calculator", "output": "42"}"#)]
pub struct FunctionCallOutput {
    /// The call that is answered.
    #[record(required)]
    pub call_id: String,
    /// The tool's name.
    pub name: Option<String>,
    /// The answer as JSON text.
    #[record(required)]
    pub output: String,
}

/// A call of an MCP tool; rides in `mcp_call`.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct McpCall {
    /// Names the call; its output names it too.
    pub call_id: Option<String>,
    /// The arguments as JSON text.
    pub arguments: Option<String>,
    /// The tool's name.
    pub name: Option<String>,
    /// The MCP server's name.
    pub server_label: Option<String>,
}

/// What an MCP tool answered; rides in `mcp_call_output`.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct McpCallOutput {
    /// The call that is answered.
    #[record(required)]
    pub call_id: String,
    /// The tool's name.
    pub name: Option<String>,
    /// The answer as JSON text.
    #[record(required)]
    pub output: String,
}

/// The tools of an MCP server; rides in `mcp_list_tools`.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct McpListTools {
    /// Names the list.
    #[record(required)]
    pub id: String,
    /// The MCP server's name.
    #[record(required)]
    pub server_label: String,
    /// Its tools.
    #[record(required)]
    pub tools: Vec<McpListToolsTool>,
    /// Why they could not be listed.
    pub error: Option<String>,
}

/// One tool of an MCP server.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct McpListToolsTool {
    /// The JSON Schema of its arguments.
    #[record(required)]
    pub input_schema: Json,
    /// Its name.
    #[record(required)]
    pub name: String,
    /// Hints of the server.
    pub annotations: Json,
    /// What it does.
    pub description: Option<String>,
}

/// A question whether an MCP tool may be called; rides in `mcp_approval_request`.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct McpApprovalRequest {
    /// Names the question; the answer names it too.
    #[record(required)]
    pub id: String,
    /// The arguments as JSON text.
    #[record(required)]
    pub arguments: String,
    /// The tool's name.
    #[record(required)]
    pub name: String,
    /// The MCP server's name.
    #[record(required)]
    pub server_label: String,
}

/// The answer to such a question; rides in `mcp_approval_response`.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct McpApprovalResponse {
    /// The question that is answered.
    #[record(required)]
    pub approval_request_id: String,
    /// Whether the tool may be called.
    #[record(required)]
    pub approve: bool,
    /// Names the answer.
    pub id: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// A tool call in its plainest form.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ToolCall {
    /// The arguments as JSON text.
    #[record(required)]
    pub arguments: String,
    /// Names the call.
    #[record(required)]
    pub call_id: String,
    /// The tool's name.
    #[record(required)]
    pub name: String,
}

/// A tool's answer in its plainest form.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ToolCallOutput {
    /// The call that is answered.
    #[record(required)]
    pub call_id: String,
    /// The answer as JSON text.
    #[record(required)]
    pub output: String,
}
