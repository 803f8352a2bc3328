"""Settings of the server of the baseline of registrations: no middleware, no token, files in a folder."""

import environ

from benchmarks.baseline_settings import *  # noqa: F403
from benchmarks.baseline_settings import INSTALLED_APPS, REST_FRAMEWORK

ROOT_URLCONF = "benchmarks.baseline_create"
INSTALLED_APPS = [*INSTALLED_APPS, "simple_history", "benchmarks"]
MEDIA_ROOT = environ.Env().str("MEDIA_ROOT")
REST_FRAMEWORK = REST_FRAMEWORK | {"DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.MultiPartParser"]}
