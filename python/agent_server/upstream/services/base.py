"""What all services have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Optional, Type, TypeVar

__all__ = ["Service", "ServiceLifecycleManagerMixin", "ServiceWithLifecycleManager"]

Any_ = TypeVar("Any_", bound="ServiceWithLifecycleManager")


class Service(ABC):
    """Something that is started and stopped."""

    @abstractmethod
    async def start(self) -> None:
        """Starts."""

    @abstractmethod
    async def stop(self) -> None:
        """Stops."""

    @abstractmethod
    async def health(self) -> bool:
        """Whether it can be used."""


class ServiceWithLifecycleManager(Service):
    """A service for ``async with``."""

    async def __aenter__(self: Any_) -> Any_:
        await self.start()
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.stop()


ServiceLifecycleManagerMixin = ServiceWithLifecycleManager
