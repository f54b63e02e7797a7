"""What the methods of a run raise."""

from __future__ import annotations

from typing import Any, Mapping


class AgentError(Exception):
    """An error whose code and text the client sees. The texts of all other exceptions stay in the server's log."""

    def __init__(self, message: str, code: str = "AGENT_ERROR", status: int = 422) -> None:
        super().__init__(message)
        self.code, self.status = code, status


class ToolError(Exception):
    """A tool has no answer, or the user has not approved the call. The text says why."""


class StepFailed(Exception):
    """A step that may only be taken once has failed, now or in an earlier attempt."""


class StepCutOff(Exception):
    """A step that may only be taken once was cut off in an earlier attempt, so nobody knows whether it had its effect.

    Unless it is caught, the run ends as ``incomplete``.
    """


class Suspended(BaseException):
    """The run ends here, because the user was asked something. Do not catch it."""


def of_call(error: Mapping[str, Any]) -> BaseException:
    """The exception for the error of a call."""
    if error.get("kind") == "waiting":
        return Suspended()
    if error.get("kind") == "tool":
        return ToolError(error["message"])
    if error.get("kind") == "cut_off":
        return StepCutOff(error["message"])
    if error.get("code") is not None:
        return AgentError(error["message"], error["code"], error.get("status") or 422)
    return RuntimeError(error["message"])
