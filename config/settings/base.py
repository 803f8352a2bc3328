"""Settings of all environments. Only settings modules read environment variables."""

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parents[2]

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env", overwrite=False)

from config.settings.admin import *  # noqa: E402, F403
from config.settings.domain import *  # noqa: E402, F403
from config.settings.logging import *  # noqa: E402, F403
from config.settings.schedule import *  # noqa: E402, F403
from config.settings.services import *  # noqa: E402, F403

ENVIRONMENT_NAME = "base"
RELEASE = "0.1.0"
DEBUG = False
SECRET_KEY = env("SECRET_KEY", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "common",  # before `unfold`, whose sidebar template it replaces
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "simple_history",
    "api",
    "flags",
    "waffle",  # after `flags`, whose commands replace those of waffle
    "accounts",
    "notifications",
    "jobs",
    "backfills",
    "taxonomy",
    "assets",
    "albumart",
    "bugreports",
    "ops",
]

MIDDLEWARE = [
    "api.middleware.RequestIdMiddleware",
    "api.middleware.ResponseTimeMiddleware",
    "api.middleware.DatabaseOutageMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "api.middleware.StripTrailingSlashMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "api.page_middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "api.page_middleware.AuthenticationMiddleware",
    "api.page_middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "api.page_middleware.history_middleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# Legacy clients send no trailing slash, and a redirect would drop the request body.
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))

AUTH_USER_MODEL = "accounts.User"
LOGIN_REDIRECT_URL = "/admin/"
LOGIN_URL = "/admin/login/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.ServiceKeyAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["api.renderers.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.JsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.negotiation.ContentNegotiation",
    "EXCEPTION_HANDLER": "api.exception_handler.exception_handler",
    "URL_FORMAT_OVERRIDE": None,  # so that `?format=` is ignored like any unknown parameter
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_RATES": {
        "login": env.str("ACCOUNTS_LOGIN_RATE", default="10/min"),
        "login_email": env.str("ACCOUNTS_LOGIN_EMAIL_RATE", default="30/min"),
        "register": env.str("ACCOUNTS_REGISTER_RATE", default="20/hour"),
        "bug_reports": env.str("BUGREPORTS_USER_RATE", default="10/min"),
        "bug_reports_day": env.str("BUGREPORTS_USER_DAY_RATE", default="100/day"),
        "bug_reports_all": env.str("BUGREPORTS_GLOBAL_RATE", default="300/min"),
    },
    "NUM_PROXIES": env.int("API_TRUSTED_PROXY_COUNT", default=0),
}

SPECTACULAR_SETTINGS = {
    "TITLE": "NNA Registry Service API",
    "VERSION": RELEASE,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    # Warnings about incomplete schemas are no deployment checks.
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
}

CORS_ALLOWED_ORIGINS = env.list(
    "CORS_ALLOWED_ORIGINS",
    default=[
        "https://nna-registry-frontend-dev.vercel.app",
        "https://nna-registry-frontend-stg.vercel.app",
        "https://nna-registry-frontend.vercel.app",
    ],
)
CORS_URLS_REGEX = r"^/(api|media)(/.*)?$"
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
CORS_ALLOW_HEADERS = [
    "content-type",
    "authorization",
    "x-api-key",
    "x-file-id",
    "content-length",
    "accept",
    "origin",
    "x-requested-with",
    "cache-control",
    "pragma",
    "x-requested-at",
    "if-none-match",
    "idempotency-key",
    "range",
    "x-trace-id",
    "if-match",
    "if-unmodified-since",
]
CORS_EXPOSE_HEADERS = ["Content-Length", "Content-Range", "ETag", "X-Request-Id", "X-Trace-Id", "Retry-After"]
CORS_PREFLIGHT_MAX_AGE = 3600

# The limit of all form fields but files. ASSETS_MAX_FILE_BYTES limits a file while it is read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 100
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
