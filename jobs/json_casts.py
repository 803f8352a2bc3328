"""SQL that turns JSON into the value of a column and back, the same for writing and for undoing."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import JSONField

_encode = DjangoJSONEncoder(ensure_ascii=False).encode


def to_json_text(value: Any) -> str | None:
    """None is the database's null, never JSON's."""
    return None if value is None else _encode(value)


def from_json(expression: str, field: Any) -> str:
    """SQL of the column's value from SQL of its JSON."""
    if isinstance(field, JSONField):
        return expression
    kind = field.db_type(connection)
    if isinstance(field, ArrayField):
        return (
            f"CASE WHEN {expression} IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text({expression}))::{kind} END"
        )
    text = f"({expression} #>> '{{}}')"
    # A cast to varchar(n) would cut what is too long; an assignment refuses it.
    return text if kind.startswith("varchar") or kind == "text" else f"{text}::{kind}"


def quote(name: str) -> str:
    return connection.ops.quote_name(name)
