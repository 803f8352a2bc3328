"""Redact secrets and personal data before a report is stored or logged.

`keys` lists names of secrets and `patterns` formats of secrets; `texts` applies both to a string, `documents` to a JSON
value. Redaction is pure and idempotent.
"""
