"""PostgreSQL and Valkey for a developer's machine and for tests: started on demand, shared, gone when unused.

Each process that calls `ensure` holds a shared lock on one file for as long as it lives. A keeper process owns both
servers and tries to take that lock for itself; once it gets it, nobody is left and it stops them. The kernel drops a
lock with its process, however that dies, so nothing needs to be tidied up after a `kill -9`.

Only programs are taken from the installed packages; their Python parts are never imported. Needs no Django.
"""

from config.embedded_servers.client import ensure
from config.embedded_servers.places import ServersFailed

__all__ = ["ServersFailed", "ensure"]
