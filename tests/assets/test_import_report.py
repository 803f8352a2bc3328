"""Messages of an import in a temporary file."""

from assets.import_report import MessageFile


def test_messages_of_several_sorted_runs_are_read_in_order() -> None:
    messages = MessageFile()
    assert (len(messages), list(messages)) == (0, [])
    first = [(position, f"S.POP.DIV.{position:03d}", "has no description\nä \ud800") for position in range(1, 500)]
    second = [(position, "C.MIX.OFF.001", "components") for position in range(3, 700, 5)]
    messages.extend(first[:100])
    messages.extend(first[100:])
    messages.extend(second)
    assert len(messages) == len(first) + len(second)
    assert list(messages) == sorted(first + second)
    messages.extend([(1, "A", "again")])
    assert next(iter(messages)) == (1, "A", "again")
