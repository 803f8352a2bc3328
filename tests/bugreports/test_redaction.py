"""Secrets in any part of a report are redacted; harmless content is unchanged."""

import json
import re
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.redaction import measure
from bugreports.redaction.documents import FAILED, Scrubber
from bugreports.redaction.keys import SecretKeyRules
from bugreports.redaction.patterns import REDACTED
from bugreports.redaction.rules import rules_document
from tests.support.recorded_requests import CONTRACTS
from tests.support.secret_corpus import HARMLESS, SECRET


def scrub(value: Any, **rules: Any) -> tuple[Any, Scrubber]:
    scrubber = Scrubber(SecretKeyRules(**rules))
    return scrubber.scrub(value, ""), scrubber


def test_precision_and_recall_on_the_corpus() -> None:
    assert len(SECRET) >= 150
    assert len(HARMLESS) >= 150
    missed, changed = measure()
    assert len(missed) <= 0.03 * len(SECRET), missed
    assert len(changed) <= 0.01 * len(HARMLESS), changed


@pytest.mark.parametrize("text", [*HARMLESS, *(text for text, _ in SECRET)])
def test_scrubbing_a_text_is_idempotent(text: str) -> None:
    once, _ = scrub(text)
    again, scrubber = scrub(once)
    assert (again, scrubber.count) == (once, 0)


_PIECES = st.sampled_from([
    "password", "token=", ":", "=", '"', "'", "\\", "{", "}", "[", "]", "&", "?", "://", "@", ".", "Bearer ",
    "Basic ", "eyJ",
    "Cookie: ", "authorization", "hunter2", "4111 1111 1111 1111", "a=b", " ", "\n", "-----BEGIN RSA PRIVATE KEY-----",
    "https://u:p@h/x", "x@y.org", "[REDACTED]", "[EMAIL]", "--secret ", "AKIA", "IOSFODNN7EXAMPLE", "%40",
    "api key is ", ",",
])  # fmt: skip
_TEXTS = st.one_of(st.lists(_PIECES, max_size=14).map("".join), st.text(max_size=80))
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(_VALUES)
def test_scrubbing_any_value_is_idempotent(value: Any) -> None:
    once, first = scrub(value)
    again, second = scrub(once)
    assert first.failed == []
    assert again == once
    assert second.count == 0
    json.dumps(once)


@settings(deadline=None)
@given(st.text(string.ascii_letters + string.digits, min_size=8, max_size=40).map(lambda text: f"7{text}"))
def test_values_of_secret_keys_are_redacted(secret: str) -> None:
    for document in (
        {"password": secret}, {"deep": [{"Api-Key": secret}]}, {"name": "X-Auth-Token", "value": secret},
        {"requestBody": json.dumps({"client_secret": secret})}, {"requestBody": f"a=1&refresh_token={secret}&b=2"},
        f"https://studio.example/cb?access_token={secret}#x",
    ):  # fmt: skip
        kept, scrubber = scrub(document)
        assert f'"{secret}"' not in json.dumps(kept)
        assert f"={secret}" not in json.dumps(kept)
        assert scrubber.count == 1


def test_redactions_have_path_and_rule_but_no_value() -> None:
    document = {
        "a": {"password": "hunter2"},
        "list": ["x", "mail me: mira@studio.example"],
        "body": '{"api_key":"k-123"}',
    }
    kept, scrubber = scrub(document)
    assert kept == {"a": {"password": REDACTED}, "list": ["x", "mail me: [EMAIL]"], "body": '{"api_key":"[REDACTED]"}'}
    assert [(redaction.path, redaction.rule) for redaction in scrubber.redactions] == [
        ("/a/password", "key"), ("/list/1", "email"), ("/body#/api_key", "key"),
    ]  # fmt: skip


def test_harmless_values_of_secret_keys_are_kept() -> None:
    document = {"has_password": True, "token": None, "password": "", "trace_id": "abc12345", "X-Trace-Id": "x-1234567"}
    assert scrub(document)[0] == document


def test_a_secret_in_a_key_is_redacted() -> None:
    kept, scrubber = scrub({"card 4111 1111 1111 1111": 1})
    assert kept == {"card [REDACTED]": 1}
    assert scrubber.count == 1


def test_secret_keys_can_be_added_and_excluded() -> None:
    assert scrub({"studioCode": "blue"})[0] == {"studioCode": "blue"}
    assert scrub({"studio_code": "blue"}, extra=frozenset({"studioCode"}))[0] == {"studio_code": REDACTED}
    assert scrub("studio-code=blue", extra=frozenset({"studioCode"}))[0] == f"studio-code={REDACTED}"
    assert scrub({"color_token": "blue"}, safe=frozenset({"colorToken"}))[0] == {"color_token": "blue"}


def test_email_addresses_can_be_kept() -> None:
    assert Scrubber(masks_emails=False).scrub("mira@studio.example", "") == "mira@studio.example"


def test_a_body_without_secrets_is_unchanged() -> None:
    body = '{ "b":  1.0, "a":"\\u00e9" }'
    assert scrub(body)[0] == body


def test_nested_json_is_redacted_up_to_a_depth() -> None:
    inner = json.dumps({"password": "hunter2"})
    for _ in range(3):
        inner = json.dumps({"body": inner})
    assert "hunter2" not in scrub(inner)[0]
    deep: Any = "hunter2"
    for _ in range(200):
        deep = [deep]
    assert "hunter2" not in str(scrub(deep)[0])
    assert "hunter2" not in scrub("[" * 100_000 + "password=hunter2" + "]" * 100_000)[0]


def test_a_section_whose_redaction_fails_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*args: Any, **kwargs: Any) -> str:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("bugreports.redaction.documents.scrub_text", break_down)
    kept, scrubber = scrub({"a": "x"})
    assert kept == FAILED
    assert scrubber.failed == [""]


@pytest.mark.parametrize(
    "text",
    ["a" * 200_000, "password" * 20_000, "=" * 100_000, "a=" * 50_000, '"' * 100_000, "x@" * 50_000, "1 " * 50_000,
     "://a:" * 20_000, "-----BEGIN RSA PRIVATE KEY-----" * 2000, "eyJ" * 50_000, "Cookie: a=b; " * 10_000,
     "\\" * 100_000,      'token\\":\\"' * 10_000, "Bearer " * 20_000, "password: '" * 10_000, "token=`" * 10_000],
)  # fmt: skip
@pytest.mark.timeout(10)
def test_the_time_grows_linearly_with_the_text(text: str) -> None:
    """A text of twice the length takes twice the time: no pattern backtracks."""
    scrub(text)


def test_the_rules_for_clients_are_those_of_the_server() -> None:
    """The file is the output of `json.dumps(rules_document(), indent=1, ensure_ascii=False)`."""
    kept = json.loads((CONTRACTS / "redaction_rules.json").read_text())
    assert kept == rules_document()
    for entry in kept["texts"]:
        re.compile(entry["regex"], re.IGNORECASE if "i" in entry["flags"] else 0)
        assert "(?P" not in entry["regex"], "browsers write named groups otherwise"
