"""Settings by environment: development, test, staging, production. Each is `base` plus a few lines."""
