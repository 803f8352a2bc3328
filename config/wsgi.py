"""WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

from config.postgresql.time_limits import use_time_limits

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.development")

application = get_wsgi_application()
use_time_limits("request")
