"""Creates services from arguments and environment variables."""

from __future__ import annotations

import inspect
import os
from typing import Any, Callable, Dict, Generic, Optional, TypeVar

__all__ = ["ServiceFactory"]

T = TypeVar("T")


class ServiceFactory(Generic[T]):
    """Chooses a backend by name. Each subclass has a prefix of variables, a default and its backends."""

    _env_prefix: str = ""
    _default_backend: str = "in_memory"
    _registry: Dict[str, Callable[..., Any]] = {}

    @classmethod
    def register_backend(cls, backend_type: str, constructor: Callable[..., T]) -> None:
        """Adds a backend."""
        cls._registry = {**cls._registry, backend_type.lower(): constructor}

    @classmethod
    async def create(cls, backend_type: Optional[str] = None, **kwargs: Any) -> T:
        """Creates a service, which still has to be started. Arguments that it does not have are ignored."""
        chosen = backend_type or os.environ.get(f"{cls._env_prefix}BACKEND", cls._default_backend)
        backend = chosen.lower()
        if backend not in cls._registry:
            raise ValueError(f"Unsupported backend type: {backend}")
        constructor = cls._registry[backend]
        given = {**cls._load_env_kwargs(backend), **kwargs}
        parameters = inspect.signature(constructor).parameters
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            given = {name: value for name, value in given.items() if name in parameters}
        service: T = constructor(**given)
        return service

    @classmethod
    def _load_env_kwargs(cls, backend_type: str) -> Dict[str, str]:
        prefix = f"{cls._env_prefix}{backend_type.upper()}_"
        found = {name[len(prefix) :].lower(): value for name, value in os.environ.items() if name.startswith(prefix)}
        return found
