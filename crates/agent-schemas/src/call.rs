//! Payloads of tool calls and their outputs, as carried in the `data` of a data content.

use crate::decode::FromJson;
use crate::json::{Json, JsonObject};
use crate::record::record;

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

record! {
    /// A function or plugin call. Carried by messages of type `function_call` and `plugin_call`.
    #[example(r#"{"call_id": "call_1", "name": "calculator", "arguments": "{\"expression\":\"6 * 7\"}"}"#)]
    pub struct FunctionCall {
        /// The call id. The output refers to it.
        call_id: Option<String>,
        /// The tool's name.
        name: Option<String>,
        /// The arguments as JSON text.
        arguments: Option<String>,
    }
}

record! {
    /// The output of a function or plugin call. Carried by `function_call_output` and `plugin_call_output`.
    #[example(r#"{"call_id": "call_1", "name": "calculator", "output": "42"}"#)]
    pub struct FunctionCallOutput {
        /// The id of the call.
        call_id: String = required,
        /// The tool's name.
        name: Option<String>,
        /// The output as JSON text.
        output: String = required,
    }
}

record! {
    /// An MCP tool call. Carried by `mcp_call`.
    pub struct McpCall {
        /// The call id. The output refers to it.
        call_id: Option<String>,
        /// The arguments as JSON text.
        arguments: Option<String>,
        /// The tool's name.
        name: Option<String>,
        /// The MCP server's name.
        server_label: Option<String>,
    }
}

record! {
    /// The output of an MCP tool call. Carried by `mcp_call_output`.
    pub struct McpCallOutput {
        /// The id of the call.
        call_id: String = required,
        /// The tool's name.
        name: Option<String>,
        /// The output as JSON text.
        output: String = required,
    }
}

record! {
    /// The tools of an MCP server. Carried by `mcp_list_tools`.
    pub struct McpListTools {
        /// The id of the list.
        id: String = required,
        /// The MCP server's name.
        server_label: String = required,
        /// Its tools.
        tools: Vec<McpListToolsTool> = required,
        /// The error, if the tools could not be listed.
        error: Option<String>,
    }
}

record! {
    /// One tool of an MCP server.
    pub struct McpListToolsTool {
        /// The JSON Schema of its arguments.
        input_schema: Json = required,
        /// Its name.
        name: String = required,
        /// Annotations supplied by the server.
        annotations: Json,
        /// What it does.
        description: Option<String>,
    }
}

record! {
    /// A request for approval to call an MCP tool. Carried by `mcp_approval_request`.
    pub struct McpApprovalRequest {
        /// The request id. The response refers to it.
        id: String = required,
        /// The arguments as JSON text.
        arguments: String = required,
        /// The tool's name.
        name: String = required,
        /// The MCP server's name.
        server_label: String = required,
    }
}

record! {
    /// The response to an approval request. Carried by `mcp_approval_response`.
    pub struct McpApprovalResponse {
        /// The id of the approval request.
        approval_request_id: String = required,
        /// Whether the call is approved.
        approve: bool = required,
        /// The response id.
        id: Option<String>,
        /// The reason for the decision.
        reason: Option<String>,
    }
}

record! {
    /// A tool call in its simplest form.
    pub struct ToolCall {
        /// The arguments as JSON text.
        arguments: String = required,
        /// The call id.
        call_id: String = required,
        /// The tool's name.
        name: String = required,
    }
}

record! {
    /// A tool output in its simplest form.
    pub struct ToolCallOutput {
        /// The id of the call.
        call_id: String = required,
        /// The output as JSON text.
        output: String = required,
    }
}
