"""The cache backend for Valkey, which reuses its client and does not wait for a server that does not respond."""

from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import Redis

from common.valkey import call_valkey


class _GuardedRedis(Redis):
    def __init__(self, *, url: str, **options: Any) -> None:
        super().__init__(**options)
        self._url = url

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with call_valkey(self._url):
            return super().execute_command(*args, **options)


class _ReusedClient(RedisCacheClient):
    """Reuse one client, which is thread-safe. Django creates one per call, which doubles the time of a call."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._reused: _GuardedRedis | None = None

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        if len(self._servers) > 1:  # Django selects a random server for each read
            return super().get_client(key, write=write)
        if self._reused is None:
            self._reused = _GuardedRedis(url=self._servers[0], connection_pool=self._get_connection_pool(write))
        return self._reused


class ValkeyCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _ReusedClient
