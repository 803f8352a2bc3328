"""The sign-in form of the admin, with the rate limits of the API: else attackers would guess passwords here."""

import logging

from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from api.throttling import client_ip, consume_rate_limit

log = logging.getLogger(__name__)


class ThrottledLoginForm(AuthenticationForm):
    def clean(self) -> dict[str, str]:
        email = (self.cleaned_data.get("username") or "").strip().lower()
        retry_after = consume_rate_limit("login", f"admin {client_ip(self.request)}")
        retry_after = retry_after or consume_rate_limit("login_email", f"admin {email}")
        if retry_after:
            log.warning("admin login rate limited")
            raise ValidationError(f"Too many attempts. Try again in {retry_after} seconds.")
        return super().clean()
