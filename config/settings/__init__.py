"""Settings modules for development, test, staging and production. Each extends `base`."""
