"""What can go wrong with people and keys."""

from common.errors import Conflict, InvalidInput, NotFound


class EmailAlreadyRegistered(InvalidInput):
    code = "email_taken"


class InvalidCredentials(InvalidInput):
    """Unknown e-mail, wrong password and disabled person alike: the answer never tells which."""

    code = "invalid_credentials"


class UserNotFound(NotFound):
    code = "user_not_found"


class ServiceKeyNameTaken(Conflict):
    code = "service_key_name_taken"


class UserNotManageable(Conflict):
    """Who asks may not do this to that person."""

    code = "not_yours_to_change"


class DemoNotAllowed(Conflict):
    """Demo logins have a known password and never belong on a server others reach."""

    code = "demo_refused"
