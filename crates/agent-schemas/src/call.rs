//! What tool calls and their outputs carry in the `data` of a data content.

use serde::Serialize;

use crate::decode::{Decoded, FromJson, deserialize_from_json, missing};
use crate::json::{Json, JsonObject};

/// Defines a call payload: its fields in wire order, their JSON forms, and which must be there.
macro_rules! payload {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty $(= $required:ident)?,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl FromJson for $name {
            fn from_json(json: Json) -> Decoded<Self> {
                let members = JsonObject::from_json(json)?;
                $($(
                    let $required = stringify!($field);
                    if !members.contains_key($required) {
                        return Err(missing($required, Json::Object(members)));
                    }
                )?)*
                let mut payload = $name::default();
                for (key, value) in members {
                    match key.as_str() {
                        $(stringify!($field) => payload.$field = crate::decode::member(&key, value)?,)*
                        _ => {}
                    }
                }
                Ok(payload)
            }
        }

        deserialize_from_json!($name);

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
    };
}

payload! {
    /// A call of a function or plugin; rides in messages of type `function_call` and `plugin_call`.
    FunctionCall {
        /// Names the call; its output names it too.
        call_id: Option<String>,
        /// The tool's name.
        name: Option<String>,
        /// The arguments as JSON text.
        arguments: Option<String>,
    }
}

payload! {
    /// What a function or plugin answered; rides in `function_call_output` and `plugin_call_output`.
    FunctionCallOutput {
        /// The call that is answered.
        call_id: String = required,
        /// The tool's name.
        name: Option<String>,
        /// The answer as JSON text.
        output: String = required,
    }
}

payload! {
    /// A call of an MCP tool; rides in `mcp_call`.
    McpCall {
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

payload! {
    /// What an MCP tool answered; rides in `mcp_call_output`.
    McpCallOutput {
        /// The call that is answered.
        call_id: String = required,
        /// The tool's name.
        name: Option<String>,
        /// The answer as JSON text.
        output: String = required,
    }
}

payload! {
    /// The tools of an MCP server; rides in `mcp_list_tools`.
    McpListTools {
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

payload! {
    /// One tool of an MCP server.
    McpListToolsTool {
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

payload! {
    /// A question whether an MCP tool may be called; rides in `mcp_approval_request`.
    McpApprovalRequest {
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

payload! {
    /// The answer to such a question; rides in `mcp_approval_response`.
    McpApprovalResponse {
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

payload! {
    /// A tool call in its plainest form.
    ToolCall {
        /// The arguments as JSON text.
        arguments: String = required,
        /// Names the call.
        call_id: String = required,
        /// The tool's name.
        name: String = required,
    }
}

payload! {
    /// A tool's answer in its plainest form.
    ToolCallOutput {
        /// The call that is answered.
        call_id: String = required,
        /// The answer as JSON text.
        output: String = required,
    }
}
