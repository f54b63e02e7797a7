"""Exceptions of applications, with codes of their own."""

from __future__ import annotations

from typing import Optional

from .exceptions import (
    BadRequestException,
    Details,
    ForbiddenException,
    GatewayTimeoutException,
    InternalServerErrorException,
    NotFoundException,
    ServiceUnavailableException,
    TooManyRequestsException,
    UnauthorizedException,
    UnprocessableEntityException,
)


class AuthenticationException(UnauthorizedException):
    """The login has failed."""

    def __init__(self, message: str = "Authentication failed", details: Details = None) -> None:
        super().__init__("AUTH_FAILED", message, details)


class TokenExpiredException(UnauthorizedException):
    """The token has expired."""

    def __init__(self, message: str = "Token has expired", details: Details = None) -> None:
        super().__init__("TOKEN_EXPIRED", message, details)


class InvalidTokenException(UnauthorizedException):
    """The token is invalid."""

    def __init__(self, message: str = "Invalid token", details: Details = None) -> None:
        super().__init__("INVALID_TOKEN", message, details)


class PermissionDeniedException(ForbiddenException):
    """The user has no permission."""

    def __init__(self, message: str = "Permission denied", details: Details = None) -> None:
        super().__init__("PERMISSION_DENIED", message, details)


class AccessDeniedException(ForbiddenException):
    """The user has no access."""

    def __init__(self, message: str = "Access denied", details: Details = None) -> None:
        super().__init__("ACCESS_DENIED", message, details)


class ResourceNotFoundException(NotFoundException):
    """A resource does not exist."""

    def __init__(self, resource_type: str, resource_id: str, details: Details = None) -> None:
        super().__init__("RESOURCE_NOT_FOUND", f"{resource_type} not found: {resource_id}", details)


class UserNotFoundException(NotFoundException):
    """A user does not exist."""

    def __init__(self, user_id: str, details: Details = None) -> None:
        super().__init__("USER_NOT_FOUND", f"User not found: {user_id}", details)


class TaskNotFoundException(NotFoundException):
    """A task does not exist."""

    def __init__(self, task_id: str, details: Details = None) -> None:
        super().__init__("TASK_NOT_FOUND", f"Task not found: {task_id}", details)


class InvalidParameterException(BadRequestException):
    """A parameter is invalid."""

    def __init__(self, parameter: str, message: Optional[str] = None, details: Details = None) -> None:
        super().__init__("INVALID_PARAMETER", message or f"Invalid parameter: {parameter}", details)


class MissingParameterException(BadRequestException):
    """A parameter is missing."""

    def __init__(self, parameter: str, details: Details = None) -> None:
        super().__init__("MISSING_PARAMETER", f"Missing required parameter: {parameter}", details)


class ParameterValidationException(BadRequestException):
    """A parameter has a wrong value."""

    def __init__(self, parameter: str, validation_error: str, details: Details = None) -> None:
        message = f"Parameter validation failed: {parameter} - {validation_error}"
        super().__init__("PARAMETER_VALIDATION", message, details)


class RateLimitExceededException(TooManyRequestsException):
    """An operation is too frequent."""

    def __init__(self, operation: str, retry_after: int = 60, details: Details = None) -> None:
        message = f"Operation {operation} is too frequent, please retry after {retry_after} seconds"
        super().__init__("RATE_LIMIT_EXCEEDED", message, details)


class BusinessLogicException(UnprocessableEntityException):
    """Something is against the rules of the application."""

    def __init__(self, code: str, message: str, details: Details = None) -> None:
        super().__init__(code, message, details)


class WorkflowException(BusinessLogicException):
    """A workflow has failed."""

    def __init__(self, message: str, details: Details = None) -> None:
        super().__init__("WORKFLOW_ERROR", message, details)


class AgentException(BusinessLogicException):
    """An agent has failed."""

    def __init__(self, message: str, details: Details = None) -> None:
        super().__init__("AGENT_ERROR", message, details)


class ResponseException(BusinessLogicException):
    """A response is wrong."""

    def __init__(self, message: str, details: Details = None) -> None:
        super().__init__("RESPONSE_ERROR", message, details)


class SystemException(InternalServerErrorException):
    """The system has failed."""

    def __init__(self, code: str, message: str, details: Details = None) -> None:
        super().__init__(code, message, details)


class DatabaseException(SystemException):
    """The database has failed."""

    def __init__(self, message: str, details: Details = None) -> None:
        super().__init__("DATABASE_ERROR", message, details)


class RedisException(SystemException):
    """Redis has failed."""

    def __init__(self, message: str, details: Details = None) -> None:
        super().__init__("REDIS_ERROR", message, details)


class ExternalServiceException(SystemException):
    """Another service has failed."""

    def __init__(self, service_name: str, message: str, details: Details = None) -> None:
        super().__init__("EXTERNAL_SERVICE_ERROR", f"External service {service_name} error: {message}", details)


class ConfigurationException(InternalServerErrorException):
    """A setting is wrong."""

    def __init__(self, config_key: str, message: Optional[str] = None, details: Details = None) -> None:
        super().__init__("CONFIGURATION_ERROR", message or f"Configuration error: {config_key}", details)


class NetworkException(ServiceUnavailableException):
    """The network has failed."""

    def __init__(self, message: str, details: Details = None) -> None:
        super().__init__("NETWORK_ERROR", message, details)


class TimeoutException(GatewayTimeoutException):
    """An operation has taken too long."""

    def __init__(self, operation: str, timeout: int, details: Details = None) -> None:
        super().__init__("TIMEOUT", f"Operation {operation} timed out, timeout limit: {timeout} seconds", details)
