"""Django loads this module by the name of the backend."""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from config.postgresql.connection import WatchedConnection, check_circuit


class _Driver:
    """The driver with another class of connections."""

    connect = WatchedConnection.connect

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class DatabaseWrapper(base.DatabaseWrapper):
    Database = _Driver()

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        if pool := self.settings_dict["OPTIONS"].get("pool"):
            pool.setdefault("connection_class", WatchedConnection)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        check_circuit(**conn_params)  # a pool would wait for its own connections
        return super().get_new_connection(conn_params)

    def close_if_unusable_or_obsolete(self) -> None:
        """Also drop a connection that the server closed since the last request, for example in a restart."""
        if self.connection is not None and not self.in_atomic_block and not self.pool and _has_input(self.connection):
            self.close()
        super().close_if_unusable_or_obsolete()


def _has_input(connection: psycopg.Connection[Any]) -> bool:
    """True if an idle connection is readable: the server sends nothing to it but the reason of its end."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
