"""Reasons that operators give for a change."""

from common.errors import InvalidInput
from common.text_validation import clean_text

MAX_REASON_LENGTH = 200


def clean_reason(
    reason: str,
    *,
    purpose: str,
    field: str = "reason",
    max_length: int = MAX_REASON_LENGTH,
    is_required: bool = True,
    is_single_line: bool = True,
) -> str:
    """Return the stripped text. Raises InvalidInput if it is too long, or empty though required.

    `purpose` ends the sentence "reason is required: say why ...".
    """
    reason = clean_text(reason, field=field, max_length=max_length, is_single_line=is_single_line).strip()
    if not reason and is_required:
        raise InvalidInput(f"{field} is required: say why {purpose}", field=field)
    return reason
