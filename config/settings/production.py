"""Production: secure cookies and HTTPS. A missing secret prevents the start."""

from django.core.exceptions import ImproperlyConfigured

from config.settings.base import *  # noqa: F403
from config.settings.base import OUTBOUND_ALLOW_HTTP, OUTBOUND_ALLOW_LOOPBACK, OUTBOUND_ALLOWED_PORTS, env

_required = ("SECRET_KEY", "ACCOUNTS_SIGNING_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS", "PUBLIC_BASE_URL")
_absent = [name for name in _required if not env.str(name, default="")]
if _absent:
    raise ImproperlyConfigured(f"production needs these environment variables: {', '.join(_absent)}")
_weak = [name for name in ("SECRET_KEY", "ACCOUNTS_SIGNING_KEY") if len(env.str(name)) < 50]
if _weak:
    raise ImproperlyConfigured(f"production needs at least 50 characters in: {', '.join(_weak)}")
# Each allows requests to internal hosts for users who may name a URL to fetch.
_opened = {
    "OUTBOUND_ALLOW_HTTP": OUTBOUND_ALLOW_HTTP,
    "OUTBOUND_ALLOW_LOOPBACK": OUTBOUND_ALLOW_LOOPBACK,
    "OUTBOUND_ALLOWED_PORTS": set(OUTBOUND_ALLOWED_PORTS) - {443, 80},
}
_open = [name for name, is_open in _opened.items() if is_open]
if _open:
    raise ImproperlyConfigured(f"production does not allow these: {', '.join(_open)}")

ENVIRONMENT_NAME = "production"
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
# The load balancer and the container's probe request the health check over plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^api/health$"]
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("TRUST_PROXY_HEADERS", default=False) else None
)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
