"""Kept parts of a large report, and the counts of dropped parts."""

from bugreports.redaction.keys import SecretKeyRules
from bugreports.sanitization import Limits, SanitizedReport, sanitize
from bugreports.size_limits import MORE, TRUNCATED, Budget, SizeLimiter
from bugreports.submission import parse_submission
from tests.support.bug_report_payloads import full, small


def make(document: dict, **limits: int) -> SanitizedReport:
    return sanitize(parse_submission(document), rules=SecretKeyRules(), masks_emails=True, limits=Limits(**limits))


def log(number: int, message: str = "x") -> dict:
    return {"level": "info", "message": f"{message} {number}", "args": [], "timestamp": "", "serializedArgs": []}


def test_the_newest_entries_are_kept_and_dropped_ones_counted() -> None:
    event = full()["networkEvents"][0]
    safe = make(small(recentLogs=[log(n) for n in range(1000)], networkEvents=[event] * 60))
    assert (len(safe.recent_logs), safe.recent_logs[0]["message"]) == (200, "x 0")
    assert len(safe.network_events) == 50
    assert safe.dropped == {"recentLogs": {"entries": 800}, "networkEvents": {"entries": 10}}


def test_bodies_are_truncated_after_redaction() -> None:
    event = full()["networkEvents"][0] | {"requestBody": "a" * 4090 + " password=hunter2hunter2", "responseBody": None}
    [kept] = make(small(networkEvents=[event])).network_events
    assert len(kept["requestBody"]) == 4097
    assert kept["requestBody"].endswith(MORE)
    assert "hunter" not in kept["requestBody"]


def test_a_secret_at_the_first_truncation_is_not_kept() -> None:
    secret = "sk_live" + "_4eC39HqLyjWDarjtT1zdp7dc"
    for at in range(18_150, 18_200, 5):
        text = ("m@x.org " * 1000 + "a" * 20_000)[: at - 10] + " " + secret + " and on" * 2000
        safe = make(small(appState={"x": text}))
        assert "4eC39" not in safe.app_state["x"]


def test_depth_and_number_of_values_are_limited() -> None:
    deep: dict = {}
    for _ in range(40):
        deep = {"in": deep}
    safe = make(small(appState={"deep": deep, "wide": list(range(5000))}))
    assert str(safe.app_state).count("in") < 14
    assert safe.app_state["wide"][-1] == TRUNCATED
    assert safe.dropped["appState"]["nodes"] > 3000


def test_characters_that_postgresql_rejects_are_replaced() -> None:
    safe = make(small(appState={"a\x00b": "c\x00\ud800d"}, recentLogs=[log(1, "\x00")]))
    assert safe.app_state == {"a\ufffdb": "c\ufffd\ufffdd"}
    assert safe.recent_logs[0]["message"] == "\ufffd 1"


def test_numbers_out_of_range_become_texts() -> None:
    assert make(small(appState={"n": 2**70})).app_state == {"n": str(2**70)}


def test_the_characters_of_a_section_are_limited() -> None:
    safe = make(small(appState={str(n): "x" * 9000 for n in range(500)}))
    assert sum(len(value) for value in safe.app_state.values()) < 1_100_000
    assert safe.app_state["499"] == TRUNCATED


def test_a_text_of_exactly_the_limit_is_kept() -> None:
    capper = SizeLimiter(10)
    assert capper.tree({"a": "x" * 10}, "s", Budget(10, 100)) == {"a": "x" * 10}
    assert capper.dropped == {}
