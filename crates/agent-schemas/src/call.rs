//! What tool calls and their outputs carry in the `data` of a data content.

use crate::decode::FromJson;
use crate::json::{Json, JsonObject};
use crate::record::record;

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

record! {
    /// A call of a function or plugin; rides in messages of type `function_call` and `plugin_call`.
    #[example(r#"{"call_id": "call_1", "name": "calculator", "arguments": "{\"expression\":\"6 * 7\"}"}"#)]
    pub struct FunctionCall {
        /// Names the call; its output names it too.
        call_id: Option<String>,
        /// The tool's name.
        name: Option<String>,
        /// The arguments as JSON text.
        arguments: Option<String>,
    }
}

record! {
    /// What a function or plugin answered; rides in `function_call_output` and `plugin_call_output`.
    #[example(r#"{"call_id": "call_1", "name": "calculator", "output": "42"}"#)]
    pub struct FunctionCallOutput {
        /// The call that is answered.
        call_id: String = required,
        /// The tool's name.
        name: Option<String>,
        /// The answer as JSON text.
        output: String = required,
    }
}

record! {
    /// A call of an MCP tool; rides in `mcp_call`.
    pub struct McpCall {
        /// Names the call; its output names it too.
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
    /// What an MCP tool answered; rides in `mcp_call_output`.
    pub struct McpCallOutput {
        /// The call that is answered.
        call_id: String = required,
        /// The tool's name.
        name: Option<String>,
        /// The answer as JSON text.
        output: String = required,
    }
}

record! {
    /// The tools of an MCP server; rides in `mcp_list_tools`.
    pub struct McpListTools {
        /// Names the list.
        id: String = required,
        /// The MCP server's name.
        server_label: String = required,
        /// Its tools.
        tools: Vec<McpListToolsTool> = required,
        /// Why they could not be listed.
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
        /// Hints of the server.
        annotations: Json,
        /// What it does.
        description: Option<String>,
    }
}

record! {
    /// A question whether an MCP tool may be called; rides in `mcp_approval_request`.
    pub struct McpApprovalRequest {
        /// Names the question; the answer names it too.
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
    /// The answer to such a question; rides in `mcp_approval_response`.
    pub struct McpApprovalResponse {
        /// The question that is answered.
        approval_request_id: String = required,
        /// Whether the tool may be called.
        approve: bool = required,
        /// Names the answer.
        id: Option<String>,
        /// Why.
        reason: Option<String>,
    }
}

record! {
    /// A tool call in its plainest form.
    pub struct ToolCall {
        /// The arguments as JSON text.
        arguments: String = required,
        /// Names the call.
        call_id: String = required,
        /// The tool's name.
        name: String = required,
    }
}

record! {
    /// A tool's answer in its plainest form.
    pub struct ToolCallOutput {
        /// The call that is answered.
        call_id: String = required,
        /// The answer as JSON text.
        output: String = required,
    }
}
