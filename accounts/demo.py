"""Two demo users with a known password, for development only."""

from django.conf import settings
from django.contrib.auth.models import Group

from accounts.errors import DemoNotAllowed
from accounts.models import User

DEMO_PASSWORD = "registry-demo"  # noqa: S105  # printed at the start; rejected outside development
ADMIN_EMAIL = "admin@demo.test"
EDITOR_EMAIL = "editor@demo.test"


def ensure_demo_users() -> list[User]:
    """Return the demo admin and the demo editor, created if absent. Raises DemoNotAllowed outside development."""
    if settings.ENVIRONMENT_NAME not in ("development", "test"):
        raise DemoNotAllowed("Demo users are allowed in development only")
    admin = User.objects.with_email(ADMIN_EMAIL).first() or User.objects.create_superuser(
        ADMIN_EMAIL, "demo-admin", DEMO_PASSWORD
    )
    editor = User.objects.with_email(EDITOR_EMAIL).first() or User.objects.create_user(
        EDITOR_EMAIL, "demo-editor", DEMO_PASSWORD, is_staff=True
    )
    editor.groups.set(Group.objects.filter(name="Editors"))
    return [admin, editor]
