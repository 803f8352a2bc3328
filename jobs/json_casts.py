"""SQL casts between JSON and a column. Writing and undoing use the same casts, so that values round-trip."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import JSONField

_encode = DjangoJSONEncoder(ensure_ascii=False).encode


def to_json_text(value: Any) -> str | None:
    """Encode `value` as JSON; None becomes SQL NULL, never JSON null."""
    return None if value is None else _encode(value)


def from_json(expression: str, field: Any) -> str:
    """Return SQL that casts the jsonb `expression` to the type of `field`."""
    if isinstance(field, JSONField):
        return expression
    db_type = field.db_type(connection)
    if isinstance(field, ArrayField):
        elements = f"ARRAY(SELECT jsonb_array_elements_text({expression}))"
        return f"CASE WHEN {expression} IS NOT NULL THEN {elements}::{db_type} END"
    text = f"({expression} #>> '{{}}')"
    # A cast to varchar(n) truncates a value that is too long; an assignment raises an error.
    return text if db_type.startswith("varchar") or db_type == "text" else f"{text}::{db_type}"


def quote(name: str) -> str:
    return connection.ops.quote_name(name)
