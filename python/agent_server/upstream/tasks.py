"""Background tasks of scripts, in this process."""

from __future__ import annotations

import asyncio
import inspect
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, AsyncIterator, Callable, Dict, List, Optional, TypeVar

from ._calls import Items
from ._plain import plain

Function = TypeVar("Function", bound=Callable[..., Any])

_KEPT = 1000
"""How many tasks that have ended can still be asked for."""


@dataclass
class _Task:
    job: asyncio.Task[Any]
    started_at: float = field(default_factory=time.time)

    def state(self) -> Dict[str, Any]:
        """What a poll answers."""
        if not self.job.done():
            return {"status": "running", "started_at": self.started_at, "result": None}
        if self.job.cancelled():
            return {"status": "error", "result": "cancelled"}
        error = self.job.exception()
        if error is not None:
            return {"status": "error", "result": str(error)}
        return {"status": "finished", "result": self.job.result()}


class Tasks:
    """The tasks of an app."""

    def __init__(self) -> None:
        self._tasks: Dict[str, _Task] = {}
        self.queues: List[str] = []

    def add(self, app: Any, path: str, queue: str, function: Function) -> Function:
        """Adds the routes of a function: POST starts it, and GET with the id asks for its result."""

        async def submit(body: Dict[str, Any]) -> Dict[str, Any]:
            task_id = self.start(function, body)
            message = f"Task {task_id} submitted to queue {queue}"
            return {"task_id": task_id, "status": "submitted", "queue": queue, "message": message}

        self.queues.append(queue)
        self._add_routes(app, path, submit)
        return function

    def add_queries(self, app: Any, queue: str, timeout: Optional[float]) -> None:
        """Adds the routes of queries in the background, whose result is the response."""

        async def query(body: Dict[str, Any]) -> Any:
            try:
                return await asyncio.wait_for(_last(app.runner.stream_query(body)), timeout)
            except asyncio.TimeoutError:
                raise TimeoutError(f"Task exceeded timeout of {timeout}s") from None

        async def submit(body: Dict[str, Any]) -> Dict[str, Any]:
            message = "Stream query task submitted successfully"
            return {"task_id": self.start(query, body), "status": "submitted", "queue": queue, "message": message}

        self.queues.append(queue)
        self._add_routes(app, f"{app.endpoint_path}/task", submit)

    def _add_routes(self, app: Any, path: str, submit: Callable[..., Any]) -> None:
        async def poll(task_id: str) -> Dict[str, Any]:
            return self.state(task_id)

        app.add_api_route(path, submit, methods=["POST"], tags=["custom"])
        app.add_api_route(f"{path.rstrip('/')}/{{task_id}}", poll, methods=["GET"], tags=["custom"])

    def start(self, function: Callable[..., Any], body: Any = None) -> str:
        """Starts a function with the body of a request, and returns the task's id."""
        ended = [task_id for task_id, task in self._tasks.items() if task.job.done()]
        for task_id in ended[: max(0, len(ended) - _KEPT)]:
            del self._tasks[task_id]
        task_id = str(uuid.uuid4())
        self._tasks[task_id] = _Task(asyncio.get_running_loop().create_task(_execute(function, body)))
        return task_id

    def state(self, task_id: str) -> Dict[str, Any]:
        """How far a task has come."""
        task = self._tasks.get(task_id)
        return {"error": f"Task {task_id} not found"} if task is None else task.state()


async def _last(events: AsyncIterator[Any]) -> Any:
    last = None
    async for event in events:
        last = event
    return last


async def _execute(function: Callable[..., Any], body: Any) -> Any:
    parameters = [*inspect.signature(function).parameters]
    items = Items(function, {parameters[0]: body} if parameters else {})
    try:
        results = [plain(item) async for item in items]
    finally:
        await items.close()
    is_generator = inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function)
    return results if is_generator else next(iter(results), None)
