"""Users, who sign in by e-mail, and service keys, with which other services read."""

from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.querysets import ServiceKeyQuerySet, UserManager
from common.public_ids import PUBLIC_ID_LENGTH, generate_public_id


class User(AbstractBaseUser, PermissionsMixin):
    """A user. `role` is for API clients; groups and permissions control the admin."""

    class Role(models.TextChoices):
        EDITOR = "editor", "Editor"
        ADMIN = "admin", "Admin"

    public_id = models.CharField(max_length=PUBLIC_ID_LENGTH, unique=True, default=generate_public_id, editable=False)
    email = models.EmailField("e-mail", unique=True)
    username = models.CharField(max_length=150)
    role = models.CharField(max_length=10, choices=Role, default=Role.EDITOR)
    is_active = models.BooleanField("active", default=True, help_text="Inactive users cannot sign in.")
    is_staff = models.BooleanField("staff", default=False, help_text="Staff can sign in to this admin.")
    # Tokens issued earlier are revoked. Set when the password changes and by "Sign out everywhere".
    tokens_valid_from = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["username"]

    class Meta:
        ordering = ["email"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="accounts_user_email_any_case"),
            models.CheckConstraint(condition=models.Q(role__in=["editor", "admin"]), name="accounts_user_role_known"),
        ]

    def __str__(self) -> str:
        return self.email

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Return the e-mail as it is stored; Django's forms and `clean()` call this."""
        return super().normalize_username(username).strip().lower()

    def set_password(self, raw_password: str | None) -> None:
        """Set the password and revoke all sessions, because others may have known the old password."""
        super().set_password(raw_password)
        if self.pk:
            self.tokens_valid_from = timezone.now()

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # Includes the timestamp, so that "Sign out everywhere" also ends sessions of the admin.
        valid_from = self.tokens_valid_from.timestamp() if self.tokens_valid_from else ""
        text = f"{self.password}{valid_from}"
        return salted_hmac("accounts.User.session", text, secret=secret, algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        return self.username

    def get_short_name(self) -> str:
        return self.username

    @property
    def is_admin(self) -> bool:
        """True if API responses show the role `admin`."""
        return self.is_active and (self.role == self.Role.ADMIN or self.is_superuser)


class ServiceKey(models.Model):
    """A key that another service sends as `X-API-Key`. Only its SHA-256 is stored; the key is shown once."""

    name = models.CharField(max_length=100, unique=True, help_text="Name of the service.")
    prefix = models.CharField(max_length=12, editable=False, help_text="First characters, to recognize the key.")
    key_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty for a key that does not expire.")
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ServiceKeyQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_usable(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)

    def revoke(self, now: datetime) -> None:
        if self.revoked_at is None:
            self.revoked_at = now
            self.save(update_fields=["revoked_at"])
