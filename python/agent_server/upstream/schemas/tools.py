"""Tools, their calls and outputs, as they appear in requests and in data contents."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Union

from ._model import BaseModel

# Pydantic evaluates these annotations, also on Python 3.10, and users read them: hence the older spellings.


class FunctionParameters(BaseModel):
    """The parameters of a function, as a schema."""

    type: str
    properties: Dict[str, Any]
    required: Optional[List[str]]


class FunctionTool(BaseModel):
    """A function that the model may call."""

    name: str
    description: str
    parameters: Union[FunctionParameters, Dict[str, Any]]


class Tool(BaseModel):
    """A tool of a request."""

    type: Optional[str] = "function"
    function: Optional[FunctionTool] = None


class FunctionCall(BaseModel):
    """The data of a message of the type ``function_call`` or ``plugin_call``. The arguments are JSON."""

    call_id: Optional[str] = None
    name: Optional[str] = None
    arguments: Optional[str] = None


class FunctionCallOutput(BaseModel):
    """The data of a message with the output of a call."""

    call_id: str
    name: Optional[str] = None
    output: str


class McpCall(BaseModel):
    """The data of a message of the type ``mcp_call``."""

    call_id: Optional[str] = None
    arguments: Optional[str] = None
    name: Optional[str] = None
    server_label: Optional[str] = None


class McpCallOutput(BaseModel):
    """The data of a message of the type ``mcp_call_output``."""

    call_id: str
    name: Optional[str] = None
    output: str


class McpListToolsTool(BaseModel):
    """A tool of an MCP server."""

    input_schema: object
    name: str
    annotations: Optional[object] = None
    description: Optional[str] = None


class McpListTools(BaseModel):
    """The tools of an MCP server."""

    id: str
    server_label: str
    tools: List[McpListToolsTool]
    error: Optional[str] = None


class McpApprovalRequest(BaseModel):
    """The data of a message that asks the user for approval of a call."""

    id: str
    arguments: str
    name: str
    server_label: str


class McpApprovalResponse(BaseModel):
    """The user's answer to a request for approval."""

    approval_request_id: str
    approve: bool
    id: Optional[str] = None
    reason: Optional[str] = None


class ToolCall(BaseModel):
    """A call of a tool."""

    arguments: str
    call_id: str
    name: str


class ToolCallOutput(BaseModel):
    """The output of a tool."""

    call_id: str
    output: str
