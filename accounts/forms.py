"""The admin's login: the same budgets of tries as the API's, or guessing would simply move here."""

import logging

from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from api.throttling import client_ip, consume_rate_limit

log = logging.getLogger(__name__)


class ThrottledLoginForm(AuthenticationForm):
    def clean(self) -> dict[str, str]:
        email = (self.cleaned_data.get("username") or "").strip().lower()
        wait = consume_rate_limit("login", f"admin {client_ip(self.request)}")
        wait = wait or consume_rate_limit("login_email", f"admin {email}")
        if wait:
            log.warning("admin login throttled")
            raise ValidationError(f"Too many tries. Try again in {wait} seconds.")
        return super().clean()
