"""``AgentApp``: an agent with hooks, endpoints and tasks."""

from __future__ import annotations

import importlib
import inspect
import types
from contextlib import asynccontextmanager
from typing import Any, AsyncIterator, Callable, Dict, List, Optional, TypeVar

from .. import _agents
from .._http import CHECK
from ._calls import result_of
from ._celery import CeleryMixin
from ._options import explain
from ._register import register
from .runner import FRAMEWORKS, Runner

try:
    _base: Any = importlib.import_module("fastapi").FastAPI
except ImportError:
    from ._routes import FastAPI as _base

__all__ = ["AgentApp"]

Function = TypeVar("Function", bound=Callable[..., Any])


class AgentApp(_base, CeleryMixin):  # type: ignore[misc]
    """Serves a query function. Where FastAPI is installed, the app has its routes.

    Takes the arguments of upstream's 1.0.x and 1.1.x. Those that mean nothing here are explained in the log.
    """

    router: Any

    def __init__(
        self,
        *,
        app_name: str = "",
        app_description: str = "",
        before_start: Optional[Callable[..., Any]] = None,
        after_finish: Optional[Callable[..., Any]] = None,
        runner: Optional[Runner] = None,
        lifespan: Optional[Callable[..., Any]] = None,
        endpoint_path: str = "/process",
        custom_endpoints: Optional[List[Dict[str, Any]]] = None,
        protocol_adapters: Optional[List[Any]] = None,
        enable_stream_task: bool = False,
        stream_task_queue: str = "stream_query",
        stream_task_timeout: Optional[float] = None,
        **options: Any,
    ) -> None:
        of_fastapi = {name: value for name, value in options.items() if name in _FASTAPI}
        others = {name: value for name, value in options.items() if name not in _FASTAPI}
        titles = {"title": app_name or "AgentScope Runtime API", "description": app_description}
        super().__init__(lifespan=_asgi_lifespan, **{**titles, **of_fastapi})
        self.app_name, self.app_description = app_name, app_description
        self.before_start, self.after_finish, self.lifespan = before_start, after_finish, lifespan
        self._runner = runner or Runner()
        self._runner.app = self
        self._run_options: Dict[str, Any] = {}
        self._routes_of_fastapi = len(getattr(self, "routes", ()))
        self.request_state: Dict[str, Any] = {}
        """What the lifespan has prepared, which requests have as their state."""
        self.is_alive = False
        self.endpoint_path, self.protocol_adapters = endpoint_path, protocol_adapters or []
        self.__dict__.update({name: value for name, value in others.items() if not hasattr(self, name)})
        explain("AgentApp", others)
        self._add_endpoints(custom_endpoints or [])
        if enable_stream_task:
            self.tasks_of_app().add_queries(self, stream_task_queue, stream_task_timeout)

    def _add_endpoints(self, endpoints: List[Dict[str, Any]]) -> None:
        self.custom_endpoints: List[Dict[str, Any]] = []
        for each in endpoints:
            if each.get("task_type"):
                self.task(each["path"], each.get("queue", "default"))(each.get("original_func") or each["handler"])
            else:
                self.endpoint(each["path"], [*each.get("methods", ["POST"])])(each["handler"])

    @property
    def runner(self) -> Runner:
        """The runner behind the app, which is ``self`` in its functions."""
        return self._runner

    def init(self, func: Function) -> Function:
        """Decorates the function that prepares what the queries need."""
        self._runner.init_handler = _bound(func, self._runner)  # type: ignore[method-assign]
        return func

    def query(self, framework: Optional[str] = "agentscope") -> Callable[[Function], Function]:
        """Decorates the function that answers requests, with the items of a framework."""
        if framework not in FRAMEWORKS:
            raise ValueError(f"framework={framework!r} is not one of {', '.join(FRAMEWORKS)}")

        def decorate(func: Function) -> Function:
            self._runner.query_handler = _bound(func, self._runner)  # type: ignore[method-assign]
            self._runner.framework_type = framework
            return func

        return decorate

    def shutdown(self, func: Function) -> Function:
        """Decorates the function that releases what the queries needed."""
        self._runner.shutdown_handler = _bound(func, self._runner)  # type: ignore[method-assign]
        return func

    @asynccontextmanager
    async def lifetime(self) -> AsyncIterator[None]:
        """Keeps the app started: everything between its hooks."""
        self.is_alive = True
        try:
            async with self._runner:
                for adapter in self.protocol_adapters:
                    adapter.add_endpoint(app=self, func=self._runner.stream_query)
                if self.before_start is not None:
                    await result_of(self.before_start, self, **self._run_options)
                async with self._own_lifespan():
                    yield
                if self.after_finish is not None:
                    await result_of(self.after_finish, self, **self._run_options)
        finally:
            self.is_alive = False

    @asynccontextmanager
    async def _own_lifespan(self) -> AsyncIterator[None]:
        if self.lifespan is None:
            yield
            return
        async with self.lifespan(self) as state:
            self.request_state.update(state or {})
            yield

    def has_routes(self) -> bool:
        """Whether the script has added routes."""
        return len(getattr(self, "routes", ())) > self._routes_of_fastapi

    def has_middleware(self) -> bool:
        """Whether the script has added middleware, which then also sees the requests that the server answers."""
        return bool(getattr(self, "user_middleware", ()))

    def build_middleware_stack(self) -> Any:
        """The middleware around the routes, or around nothing for requests that the server answers."""
        router = self.router

        async def routes(scope: Any, receive: Any, send: Any) -> None:
            check = scope.get(CHECK)
            await (router(scope, receive, send) if check is None else check.let_pass(send))

        self.router = routes
        try:
            return super().build_middleware_stack()
        finally:
            self.router = router

    def endpoint(self, path: str, methods: Optional[List[str]] = None) -> Callable[[Function], Function]:
        """Decorates the function of an HTTP endpoint. What it yields is sent as events."""
        from .endpoints import add

        def decorate(func: Function) -> Function:
            self.custom_endpoints.append({"path": path, "handler": func, "methods": methods or ["POST"]})
            return add(self, path, methods or ["POST"], func)

        return decorate

    def task(self, path: str, queue: str = "default") -> Callable[[Function], Function]:
        """Decorates a function that is executed in the background.

        POST starts it, and GET with the id that it has returned asks for the result.
        """
        def decorate(func: Function) -> Function:
            self.custom_endpoints.append({"path": path, "handler": func, "task_type": True, "queue": queue})
            return self.tasks_of_app().add(self, path, queue, func)

        return decorate

    async def stop_chat(self, user_id: Optional[str], session_id: Optional[str]) -> None:
        """Cancels the runs in progress of a user's session. Without a user, the session alone counts."""
        here = [key for key in self._runner.tasks if key[1] == session_id and user_id in (None, key[0])]
        if _agents.stop_session is None:
            for task in [task for key in here for task in self._runner.tasks[key]]:
                task.cancel()
        elif user_id is not None and session_id is not None:
            # Its runs may be in another worker.
            _agents.stop_session(user_id, session_id)
        else:
            for user, session in here:
                _agents.stop_session(user, session)

    def run(self, host: Optional[str] = None, port: Optional[int] = None, web_ui: bool = False, **options: Any) -> None:
        """Serves the app. In a worker, which serves it already, this registers it and returns."""
        self._run_options = options
        if _agents.in_worker:
            # A script that has a function for the start passes arguments to it.
            explain("run", {"web_ui": web_ui, **({} if self.before_start or self.after_finish else options)})
            register(self)
            return
        given = {"--host": host, "--port": port}
        _agents.serve(*(text for name, value in given.items() if value is not None for text in (name, str(value))))

    def get_fastapi_app(self, **_options: Any) -> AgentApp:
        """The app, which has the routes itself."""
        return self

    async def deploy(self, deployer: Any, **options: Any) -> Any:
        """Serves the app with a deployer."""
        return await deployer.deploy(app=self, **options)


_FASTAPI = {
    parameter.name
    for parameter in inspect.signature(_base.__init__).parameters.values()
    if parameter.kind is parameter.KEYWORD_ONLY
} - {"lifespan"}


@asynccontextmanager
async def _asgi_lifespan(app: Any) -> AsyncIterator[Dict[str, Any]]:
    """For servers of ASGI: starts the app, unless the worker has done it."""
    if app.is_alive:
        yield app.request_state
        return
    async with app.lifetime():
        yield app.request_state


def _bound(function: Callable[..., Any], runner: Runner) -> Callable[..., Any]:
    """The function with the runner as ``self``, if it takes one."""
    parameters = [*inspect.signature(function).parameters.values()]
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    takes_self = bool(parameters) and parameters[0].kind in positional
    if not takes_self or parameters[0].name in ("msgs", "request", "response"):
        return function
    return types.MethodType(function, runner)
