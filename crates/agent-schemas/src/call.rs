//! Payloads of tool calls and their outputs, as carried in the `data` of a data content.

use agent_schemas_derive::Record;

use crate::decode::FromJson;
use crate::json::{Json, JsonObject};

/// Converts records to and from the object of a data content.
macro_rules! payloads {
    ($($name:ident),* $(,)?) => {$(
        impl $name {
            /// The payload as the object of a data content, with every key present.
            pub fn into_data(self) -> JsonObject {
                match Json::from_serialize(&self) {
                    Ok(Json::Object(members)) => members,
                    _ => JsonObject::new(),
                }
            }

            /// Reads the payload from a data content's object.
            ///
            /// # Errors
            /// The first error, with its location.
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

/// A function or plugin call. Carried by messages of type `function_call` and `plugin_call`.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(
    example = r#"{"call_id": "call_1", "name": "calculator", "arguments": "{\"expression\":\"6 * 7\"}"}"#
)]
pub struct FunctionCall {
    /// The call id. The output refers to it.
    pub call_id: Option<String>,
    /// The tool's name.
    pub name: Option<String>,
    /// The arguments as JSON text.
    pub arguments: Option<String>,
}

/// The output of a function or plugin call. Carried by `function_call_output` and `plugin_call_output`.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{"call_id": "call_1", "name": "calculator", "output": "42"}"#)]
pub struct FunctionCallOutput {
    /// The id of the call.
    #[record(required)]
    pub call_id: String,
    /// The tool's name.
    pub name: Option<String>,
    /// The output as JSON text.
    #[record(required)]
    pub output: String,
}

/// An MCP tool call. Carried by `mcp_call`.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct McpCall {
    /// The call id. The output refers to it.
    pub call_id: Option<String>,
    /// The arguments as JSON text.
    pub arguments: Option<String>,
    /// The tool's name.
    pub name: Option<String>,
    /// The MCP server's name.
    pub server_label: Option<String>,
}

/// The output of an MCP tool call. Carried by `mcp_call_output`.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct McpCallOutput {
    /// The id of the call.
    #[record(required)]
    pub call_id: String,
    /// The tool's name.
    pub name: Option<String>,
    /// The output as JSON text.
    #[record(required)]
    pub output: String,
}

/// The tools of an MCP server. Carried by `mcp_list_tools`.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct McpListTools {
    /// The id of the list.
    #[record(required)]
    pub id: String,
    /// The MCP server's name.
    #[record(required)]
    pub server_label: String,
    /// Its tools.
    #[record(required)]
    pub tools: Vec<McpListToolsTool>,
    /// The error, if the tools could not be listed.
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
    /// Annotations supplied by the server.
    pub annotations: Json,
    /// What it does.
    pub description: Option<String>,
}

/// A request for approval to call an MCP tool. Carried by `mcp_approval_request`.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct McpApprovalRequest {
    /// The request id. The response refers to it.
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

/// The response to an approval request. Carried by `mcp_approval_response`.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct McpApprovalResponse {
    /// The id of the approval request.
    #[record(required)]
    pub approval_request_id: String,
    /// Whether the call is approved.
    #[record(required)]
    pub approve: bool,
    /// The response id.
    pub id: Option<String>,
    /// The reason for the decision.
    pub reason: Option<String>,
}

/// A tool call in its simplest form.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ToolCall {
    /// The arguments as JSON text.
    #[record(required)]
    pub arguments: String,
    /// The call id.
    #[record(required)]
    pub call_id: String,
    /// The tool's name.
    #[record(required)]
    pub name: String,
}

/// A tool output in its simplest form.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ToolCallOutput {
    /// The id of the call.
    #[record(required)]
    pub call_id: String,
    /// The output as JSON text.
    #[record(required)]
    pub output: String,
}
