"""Deployers: only the one for this machine."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from abc import ABC, abstractmethod
from enum import Enum
from typing import Any, Dict, Optional

from .. import _agents
from .._script_loop import begin_to_serve
from ._options import explain
from ._register import register

__all__ = ["DeployManager", "DeploymentMode", "LocalDeployManager"]


_OF_APPS = ("after_finish", "before_start", "custom_endpoints", "protocol_adapters")


class DeploymentMode(str, Enum):
    """How upstream runs a service. Here, there is always a server with worker processes."""

    DAEMON_THREAD = "daemon_thread"
    DETACHED_PROCESS = "detached_process"
    STANDALONE = "standalone"


class DeployManager(ABC):
    """Serves apps and runners."""

    def __init__(self, state_manager: Any = None) -> None:
        self.deploy_id = str(uuid.uuid4())

    @abstractmethod
    async def deploy(self, *args: Any, **kwargs: Any) -> Dict[str, str]:
        """Starts."""

    @abstractmethod
    async def stop(self, deploy_id: str, **kwargs: Any) -> Dict[str, Any]:
        """Stops."""


class LocalDeployManager(DeployManager):
    """Serves on this machine. In a worker, the server does so already, and ``deploy`` only registers the app.

    Elsewhere, ``deploy`` starts ``agent-server serve`` with the script, and ``stop`` ends it.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 8090, startup_timeout: int = 30, **_options: Any) -> None:
        super().__init__()
        self.host, self.port, self.startup_timeout = host, port, startup_timeout
        self._server: Optional[asyncio.subprocess.Process] = None

    async def deploy(self, app: Any = None, runner: Any = None, **options: Any) -> Dict[str, str]:
        """Serves an app or a runner; returns once requests are accepted."""
        served = app if app is not None else runner
        if served is None and options.get("entrypoint") is None:
            raise ValueError("deploy needs an app, a runner, or an entrypoint")
        if _agents.in_worker:
            explain("deploy", {name: value for name, value in options.items() if name not in _OF_APPS})
            register(_with_app(served, {name: options[name] for name in _OF_APPS if options.get(name)}))
            begin_to_serve()
        elif self._server is None:
            script = options.get("entrypoint") or os.path.abspath(sys.argv[0])
            command = _agents.server_command(script, "--host", self.host, "--port", str(self.port))
            self._server = await asyncio.create_subprocess_exec(*command)
            await asyncio.wait_for(self._until_ready(self._server), self.startup_timeout)
        return {"deploy_id": self.deploy_id, "url": self.service_url}

    async def _until_ready(self, server: asyncio.subprocess.Process) -> None:
        while server.returncode is None:
            try:
                _reader, writer = await asyncio.open_connection(self.host, self.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
        raise RuntimeError(f"agent-server has ended with the status {server.returncode}; it has said why")

    async def stop(self, deploy_id: Optional[str] = None, **_options: Any) -> Dict[str, Any]:
        """Ends the server that this has started."""
        if self._server is not None:
            if self._server.returncode is None:
                self._server.terminate()
            await self._server.wait()
            self._server = None
        return {"success": True, "message": "stopped", "details": {"deploy_id": deploy_id or self.deploy_id}}

    @property
    def is_service_running(self) -> bool:
        """Whether the app is served."""
        return _agents.in_worker or (self._server is not None and self._server.returncode is None)

    is_running = is_service_running

    @property
    def service_url(self) -> str:
        """Where the service is."""
        return f"http://{self.host}:{self.port}"

    def get_deployment_info(self) -> Dict[str, Any]:
        """Where the service is, and whether it is running."""
        where = {"host": self.host, "port": self.port, "url": self.service_url, "service_url": self.service_url}
        return {"deploy_id": self.deploy_id, "is_running": self.is_running, **where}


def _with_app(served: Any, options: Dict[str, Any]) -> Any:
    """A runner that is deployed with endpoints and the like, in an app that has them."""
    from .app import AgentApp

    return served if isinstance(served, AgentApp) or not options else AgentApp(runner=served, **options)
