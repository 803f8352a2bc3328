"""Who stands under a node. Higher apps tell by registering a question; nothing here imports them."""

from collections import Counter
from collections.abc import Callable, Mapping

UsageQuestion = Callable[[], Mapping[int, int]]

_questions: list[UsageQuestion] = []


def register_usage(question: UsageQuestion) -> None:
    """`question()` answers {subcategory pk: rows under it}, deleted ones included. Call it in `AppConfig.ready`."""
    if question not in _questions:
        _questions.append(question)


def usage_counts() -> Counter[int]:
    """Rows under each subcategory, over all apps."""
    total: Counter[int] = Counter()
    for question in _questions:
        total.update(question())
    return total
