class EmbeddedServersError(Exception):
    """The embedded servers cannot run. The message has the reason and what to do."""
