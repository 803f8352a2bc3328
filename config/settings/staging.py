"""Staging is production under another name, so that what passes here passes there."""

from config.settings.production import *  # noqa: F403

ENVIRONMENT_NAME = "staging"
