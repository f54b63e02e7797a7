"""Exceptions of agents, their models and tools."""

from __future__ import annotations

from typing import Optional

from .exceptions import Details
from .exceptions_of_applications import BusinessLogicException


class AgentRuntimeErrorException(BusinessLogicException):
    """The execution of an agent has failed."""

    def __init__(self, code: str, message: str, details: Details = None) -> None:
        super().__init__(code, message, details)


class ToolExecutionException(AgentRuntimeErrorException):
    """A tool has failed."""

    def __init__(self, details: Details = None) -> None:
        super().__init__("TOOL_EXECUTION_FAILED", "Error occurred during tool execution", details)


class ToolNotFoundException(AgentRuntimeErrorException):
    """A tool does not exist."""

    def __init__(self, tool_name: str, details: Details = None) -> None:
        super().__init__("TOOL_NOT_FOUND", f"Tool not found: {tool_name}", details)


class MCPConnectionException(AgentRuntimeErrorException):
    """An MCP server cannot be reached."""

    def __init__(self, details: Details = None) -> None:
        super().__init__("MCP_CONNECTION_FAILED", "Failed to connect to MCP service", details)


class MCPProtocolException(AgentRuntimeErrorException):
    """An MCP server has sent something wrong."""

    def __init__(self, details: Details = None) -> None:
        super().__init__("MCP_PROTOCOL_ERROR", "Invalid MCP protocol message format", details)


class ModelExecutionException(AgentRuntimeErrorException):
    """A model has failed."""

    def __init__(self, model_name: str, details: Details = None) -> None:
        super().__init__("MODEL_EXECUTION_FAILED", f"Error occurred during execution of model: {model_name}", details)


class ModelTimeoutException(AgentRuntimeErrorException):
    """A model has taken too long."""

    def __init__(self, model_name: str, timeout: int, details: Details = None) -> None:
        message = f"Model inference timed out: {model_name}, timeout limit: {timeout} seconds"
        super().__init__("MODEL_TIMEOUT", message, details)


class ModelNotFoundException(AgentRuntimeErrorException):
    """A model does not exist."""

    def __init__(self, model_name: str, details: Details = None) -> None:
        super().__init__("MODEL_NOT_FOUND", f"Model not found: {model_name}", details)


class UnauthorizedModelAccessException(AgentRuntimeErrorException):
    """The user may not use a model."""

    def __init__(self, model_name: str, details: Details = None) -> None:
        super().__init__("MODEL_UNAUTHORIZED_ACCESS", f"Unauthorized access to model: {model_name}", details)


class ModelQuotaExceededException(AgentRuntimeErrorException):
    """The quota of a model is used up."""

    def __init__(self, model_name: str, details: Details = None) -> None:
        super().__init__("MODEL_QUOTA_EXCEEDED", f"Model quota exceeded: {model_name}", details)


class ModelContextLengthExceededException(AgentRuntimeErrorException):
    """The conversation is too long for a model."""

    def __init__(self, model_name: str, details: Details = None) -> None:
        super().__init__("MODEL_CONTEXT_LENGTH_EXCEEDED", f"Model context length exceeded: {model_name}", details)


class UnknownAgentException(AgentRuntimeErrorException):
    """Anything else has happened in an agent."""

    def __init__(self, original_exception: Optional[Exception] = None, details: Details = None) -> None:
        error = original_exception
        text = "Unknown agent error" + ("" if error is None else f": {type(error).__name__}: {error}")
        super().__init__("AGENT_UNKNOWN_ERROR", text, details)
