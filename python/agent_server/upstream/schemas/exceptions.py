"""Exceptions whose code and text the client sees."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ..._errors import AgentError

Details = Optional[Dict[str, Any]]


class AppBaseException(Exception):
    """What all of them extend. A run that ends with one fails with its code, message and status."""

    def __init__(self, status: int, code: str, message: str, details: Details = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, details or {}

    def __str__(self) -> str:
        return f"[{self.status}] {self.code}: {self.message}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(status={self.status}, code={self.code!r}, message={self.message!r})"

    def to_dict(self) -> Dict[str, Any]:
        """The exception as JSON."""
        return {"status": self.status, "code": self.code, "message": self.message, "details": self.details}

    def to_agent_error(self) -> AgentError:
        """The same as an error of this package."""
        return AgentError(self.message, self.code, self.status)


class BadRequestException(AppBaseException):
    """The request is wrong."""

    def __init__(self, code: str, message: str, details: Details = None) -> None:
        super().__init__(400, code, message, details)


class UnauthorizedException(AppBaseException):
    """Nobody is logged in."""

    def __init__(self, code: str, message: str, details: Details = None) -> None:
        super().__init__(401, code, message, details)


class ForbiddenException(AppBaseException):
    """The user may not do this."""

    def __init__(self, code: str, message: str, details: Details = None) -> None:
        super().__init__(403, code, message, details)


class NotFoundException(AppBaseException):
    """Something does not exist."""

    def __init__(self, code: str, message: str, details: Details = None) -> None:
        super().__init__(404, code, message, details)


class MethodNotAllowedException(AppBaseException):
    """The method is wrong."""

    def __init__(self, code: str, message: str, details: Details = None) -> None:
        super().__init__(405, code, message, details)


class ConflictException(AppBaseException):
    """It conflicts with something else."""

    def __init__(self, code: str, message: str, details: Details = None) -> None:
        super().__init__(409, code, message, details)


class UnprocessableEntityException(AppBaseException):
    """The request cannot be executed."""

    def __init__(self, code: str, message: str, details: Details = None) -> None:
        super().__init__(422, code, message, details)


class TooManyRequestsException(AppBaseException):
    """There are too many requests."""

    def __init__(self, code: str, message: str, details: Details = None) -> None:
        super().__init__(429, code, message, details)


class InternalServerErrorException(AppBaseException):
    """The server has failed."""

    def __init__(self, code: str, message: str, details: Details = None) -> None:
        super().__init__(500, code, message, details)


class BadGatewayException(AppBaseException):
    """Another server has answered wrongly."""

    def __init__(self, code: str, message: str, details: Details = None) -> None:
        super().__init__(502, code, message, details)


class ServiceUnavailableException(AppBaseException):
    """The service is not available."""

    def __init__(self, code: str, message: str, details: Details = None) -> None:
        super().__init__(503, code, message, details)


class GatewayTimeoutException(AppBaseException):
    """Another server has not answered in time."""

    def __init__(self, code: str, message: str, details: Details = None) -> None:
        super().__init__(504, code, message, details)
