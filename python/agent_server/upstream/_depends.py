"""FastAPI's dependencies in query functions."""

from __future__ import annotations

import functools
import inspect
import json
import typing
from typing import Any, Awaitable, Callable, Dict, List

from .. import _wire
from .._errors import AgentError
from .._run import Run

Work = Callable[[Dict[str, Any]], Awaitable[None]]


async def with_dependencies(function: Callable[..., Any], app: Any, run: Run, work: Work) -> None:
    """Calls ``work`` with the values of the parameters that are declared with ``Depends``. They live until it returns.

    FastAPI finds them, for the request that has started the run. What it refuses fails the run, with its status.
    """
    declared = _declared(function)
    if app is None or not declared:
        await work({})
        return
    call = _Call(work)
    sent: List[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    body = _wire.json_bytes(run.request)
    received = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        return next(received, {"type": "http.disconnect"})

    await _application(function, app)({**_scope(run), "state": app.request_state.copy(), _CALL: call}, receive, send)
    if call.error is not None:
        raise call.error
    if not call.was_made:
        text = b"".join(message.get("body", b"") for message in sent).decode()
        raise AgentError(_detail(text), "REQUEST_REFUSED", sent[0]["status"])


_CALL = "agent_server.call"


class _Call:
    """The work, and how it has ended: FastAPI must not answer for it."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.was_made = False
        self.error: BaseException | None = None

    async def make(self, values: Dict[str, Any]) -> None:
        self.was_made = True
        try:
            await self._work(values)
        except BaseException as error:
            self.error = error


@functools.lru_cache(maxsize=16)
def _application(function: Callable[..., Any], app: Any) -> Any:
    """An application whose only route has the function's dependencies."""
    from fastapi import FastAPI, Request, Response

    async def endpoint(_own_request: Request, **values: Any) -> Response:
        await _own_request.scope[_CALL].make(values)
        return Response()

    kinds = inspect.Parameter
    own = kinds("_own_request", kinds.KEYWORD_ONLY, annotation=Request)
    signature = inspect.Signature([own, *_declared(function)])
    endpoint.__signature__ = signature  # type: ignore[attr-defined]
    application = FastAPI(openapi_url=None, dependencies=app.router.dependencies)
    application.state, application.dependency_overrides = app.state, app.dependency_overrides
    application.exception_handlers = app.exception_handlers
    application.add_api_route("/process", endpoint, methods=["POST"], response_model=None)
    return application


def _declared(function: Callable[..., Any]) -> List[inspect.Parameter]:
    """The parameters that are dependencies."""
    try:
        types = typing.get_type_hints(function, include_extras=True)
    except Exception:
        # A name that exists only for type checkers.
        types = {}
    declared = []
    for name, parameter in inspect.signature(function).parameters.items():
        kind = types.get(name, parameter.annotation)
        candidates = (parameter.default, *getattr(kind, "__metadata__", ()))
        if any(type(candidate).__name__ in ("Depends", "Security") for candidate in candidates):
            declared.append(parameter.replace(annotation=kind, kind=parameter.KEYWORD_ONLY))
    return declared


def _scope(run: Run) -> Dict[str, Any]:
    # The body is written anew.
    own = ("content-length", "content-type", "transfer-encoding")
    headers = [(name.encode(), value.encode("latin-1")) for name, value in run.headers.items() if name not in own]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/process",
        "raw_path": b"/process",
        "query_string": run.query.encode("latin-1"),
        "root_path": "",
        "headers": [*headers, (b"content-type", b"application/json")],
        "client": None,
        "server": None,
    }


def _detail(text: str) -> str:
    """What FastAPI's answer says."""
    try:
        detail = json.loads(text)["detail"]
    except (ValueError, KeyError, TypeError):
        return text or "the request was refused"
    return detail if isinstance(detail, str) else json.dumps(detail, ensure_ascii=False)
