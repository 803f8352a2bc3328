"""Errors of users and service keys."""

from common.errors import Conflict, Forbidden, InvalidInput, NotFound


class EmailAlreadyRegistered(InvalidInput):
    code = "email_taken"


class InvalidCredentials(InvalidInput):
    """One error for unknown e-mail, wrong password and inactive user, so that responses do not reveal which."""

    code = "invalid_credentials"


class UserNotFound(NotFound):
    code = "user_not_found"


class ServiceKeyNameTaken(Conflict):
    code = "service_key_name_taken"


class UserNotManageable(Forbidden):
    """The acting user may not manage this user."""

    code = "not_yours_to_change"


class DemoNotAllowed(Conflict):
    """Demo users have a known password, so they must not exist outside development."""

    code = "demo_refused"
