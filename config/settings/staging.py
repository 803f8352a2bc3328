"""Staging: the production settings with another name."""

from config.settings.production import *  # noqa: F403

ENVIRONMENT_NAME = "staging"
