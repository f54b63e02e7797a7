"""Runners: a query function with what it needs."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, AsyncIterator, Mapping, Optional, Type, Union

from ._calls import result_of

if TYPE_CHECKING:
    from .schemas import AgentRequest, Event

__all__ = ["Runner"]

FRAMEWORKS = ("text", "agentscope", "autogen", "langgraph", "agno", "ms_agent_framework")

log = logging.getLogger("agent_server.upstream")


class Runner:
    """Answers requests with ``query_handler``. Scripts extend it, or an ``AgentApp`` has one."""

    framework_type: Optional[str] = None
    app: Any = None
    """The app that has this runner."""
    in_type_converters: Mapping[str, Any] = {}
    """Functions that make messages of these types the framework's."""
    out_type_converters: Mapping[str, Any] = {}
    """Functions that make blocks of these types events of the protocol, for AgentScope."""

    def __init__(self) -> None:
        self.framework_type = type(self).framework_type
        self._is_started = False

    @property
    def tasks(self) -> dict[tuple[str, str], set[asyncio.Task[Any]]]:
        """The runs in progress, by user and session."""
        # Subclasses do not always call the constructor.
        tasks: dict[tuple[str, str], set[asyncio.Task[Any]]] = self.__dict__.setdefault("_tasks", {})
        return tasks

    def framework(self) -> str:
        """The framework of the items; an error if it is none that is known."""
        if self.framework_type is None and self.__dict__.get("app") is not None:
            raise RuntimeError(
                "Framework type 'None' is invalid or not set. The app has no query function: "
                "add one with @app.query(framework=…)"
            )
        if self.framework_type not in FRAMEWORKS:
            raise RuntimeError(
                f"Framework type '{self.framework_type}' is invalid or not set. "
                f"Please set `self.framework_type` to one of: {', '.join(FRAMEWORKS)}."
            )
        return self.framework_type

    async def init_handler(self, *args: Any, **kwargs: Any) -> None:
        """Prepares what the queries need."""

    async def query_handler(self, *args: Any, **kwargs: Any) -> Any:
        """Answers a request."""
        raise NotImplementedError("query_handler not implemented")

    async def shutdown_handler(self, *args: Any, **kwargs: Any) -> None:
        """Releases what the queries needed."""

    async def start(self) -> Runner:
        """Prepares the runner, once."""
        if not self.__dict__.get("_is_started"):
            await result_of(self.init_handler)
            self._is_started = True
        return self

    async def stop(self) -> None:
        """Ends the runner. Errors of the script are logged."""
        self._is_started = False
        try:
            await result_of(self.shutdown_handler)
        except Exception:
            log.exception("the shutdown function of the script has failed")

    async def __aenter__(self) -> Runner:
        return await self.start()

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.stop()

    @asynccontextmanager
    async def lifetime(self) -> AsyncIterator[None]:
        """Keeps the runner started."""
        async with self:
            yield

    async def stream_query(
        self, request: Union[AgentRequest, Mapping[str, Any]], **kwargs: Any
    ) -> AsyncIterator[Event]:
        """Answers a request in this process, without the server: yields the events of the response."""
        from ._stream import stream

        self.framework()
        if not self.__dict__.get("_is_started"):
            raise RuntimeError(
                "Runner has not been started. Please call 'await runner.start()' or use 'async with Runner()' "
                "before calling 'stream_query'."
            )
        async for event in stream(self, request, kwargs):
            yield event

    async def deploy(self, deploy_manager: Any = None, **options: Any) -> dict[str, str]:
        """Serves the runner."""
        from .deploy import LocalDeployManager

        deployed: dict[str, str] = await (deploy_manager or LocalDeployManager()).deploy(runner=self, **options)
        return deployed
