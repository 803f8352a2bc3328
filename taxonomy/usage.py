"""Who stands under a node. Higher apps tell by registering a question; nothing here imports them."""

from collections import Counter
from collections.abc import Callable, Mapping

UsageCounter = Callable[[], Mapping[int, int]]

_questions: list[UsageCounter] = []
_live_questions: list[UsageCounter] = []


def register_usage_counter(question: UsageCounter) -> None:
    """`question()` answers {subcategory pk: rows under it}, deleted ones included. Call it in `AppConfig.ready`."""
    if question not in _questions:
        _questions.append(question)


def register_live_usage_counter(question: UsageCounter) -> None:
    """`question()` answers {subcategory pk: rows that readers see}, without counting rows: for pages, not for rules."""
    if question not in _live_questions:
        _live_questions.append(question)


def live_counts() -> Counter[int]:
    """What readers see under each subcategory, over all apps."""
    return _sum(_live_questions)


def usage_counts() -> Counter[int]:
    """Rows under each subcategory, over all apps."""
    return _sum(_questions)


def _sum(questions: list[UsageCounter]) -> Counter[int]:
    total: Counter[int] = Counter()
    for question in questions:
        total.update(question())
    return total
