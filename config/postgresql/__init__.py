"""The database backend: PostgreSQL with time limits that hold even if the server is frozen."""
