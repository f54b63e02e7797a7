"""What the services in Redis share."""

from __future__ import annotations

from typing import Any, AsyncIterator, Optional

from .base import ServiceWithLifecycleManager

__all__ = ["InRedis"]


class InRedis(ServiceWithLifecycleManager):
    """A service that keeps everything in Redis, in upstream's layout, so that it finds what upstream has stored."""

    def __init__(
        self,
        redis_url: str = "redis://localhost:6379/0",
        redis_client: Any = None,
        ttl_seconds: Optional[int] = 3600,
        **_options: Any,
    ) -> None:
        self._url, self._client, self._ttl = redis_url, redis_client, ttl_seconds

    async def start(self) -> None:
        """Makes a client, unless there is one. It connects when it is used."""
        if self._client is None:
            try:
                from redis import asyncio as aioredis
            except ImportError as error:
                raise ImportError("the script keeps something in Redis: pip install redis") from error
            self._client = aioredis.from_url(self._url, decode_responses=True)

    async def stop(self) -> None:
        """Closes the client."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def health(self) -> bool:
        """Whether Redis answers."""
        try:
            return bool(await self.client.ping())
        except Exception:
            return False

    @property
    def client(self) -> Any:
        """The client, while the service is started."""
        if self._client is None:
            raise RuntimeError("Redis connection is not available")
        return self._client

    async def touch(self, key: str) -> None:
        """Lets a key live for the whole time again."""
        if self._ttl is not None:
            await self.client.expire(key, self._ttl)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """All keys that begin with a text, whatever characters it has."""
        special = "\\*?[]"
        pattern = "".join(f"\\{each}" if each in special else each for each in prefix)
        seen = set()
        async for key in self.client.scan_iter(match=f"{pattern}*", count=100):
            if key not in seen:
                seen.add(key)
                yield key
