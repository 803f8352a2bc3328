"""Reset of the user cache between tests."""

from accounts.user_cache import USERS


def clear_user_cache() -> None:
    USERS.entries.clear()
