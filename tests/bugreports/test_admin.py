"""Admin pages of bug reports: queues, counts, detail page, actions, bulk actions, permissions."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from bugreports import triage
from bugreports.audit_log import Actor
from bugreports.duplicates import merge
from bugreports.models import BugReport, BugReportScreenshot
from bugreports.screenshots import private_storage, screenshot_key
from bugreports.templatetags.bugreports_tags import as_json, as_text, visible
from tests.factories.accounts import AdminFactory, UserFactory
from tests.factories.bugreports import BugReportFactory, PurgeRunFactory
from tests.support.bug_report_payloads import crash, full

pytestmark = pytest.mark.django_db
LIST = "admin:bugreports_bugreport_changelist"


@pytest.fixture
def admin(client: Client) -> Client:
    user = AdminFactory(email="theo@studio.example")
    client.force_login(user)
    client.user = user  # type: ignore[attr-defined]
    return client


def page(client: Client, report: BugReport, query: str = "") -> str:
    response = client.get(reverse("admin:bugreports_bugreport_change", args=[report.pk]) + query)
    assert response.status_code == 200
    return response.content.decode()


def do(client: Client, report: BugReport, verb: str, **said: Any) -> Any:
    response = client.post(reverse("admin:bugreports_bugreport_action", args=[report.pk, verb]), said)
    report.refresh_from_db()
    return response


def listed(client: Client, **params: str) -> str:
    response = client.get(reverse(LIST), params)
    assert response.status_code == 200
    return response.content.decode()


def test_queues_list_and_count_their_reports(admin: Client) -> None:
    user = admin.user  # type: ignore[attr-defined]
    now = timezone.now()
    rows = {
        "untriaged": BugReportFactory(),
        "mine": BugReportFactory(assignee=user, triaged_at=now),
        "regressions": BugReportFactory(regressed_at=now, triaged_at=now),
        "expiring": BugReportFactory(submitted_at=now - timedelta(days=28), triaged_at=now),
        "expired": BugReportFactory(context_expired_at=now, triaged_at=now),
    }
    BugReportFactory(status="resolved", assignee=user)
    for name, report in rows.items():
        text = listed(admin, queue=name)
        assert [other for other in rows.values() if other.description in text] == [report], name
    assert "Bug reports" in listed(admin)
    index = admin.get(reverse("admin:index")).content.decode()
    for title in ("Untriaged", "Mine", "Regressions", "Expiring soon", "Expired, still open"):
        badge = index.partition(f"<span>{title}</span>")[2].partition("</span>")[0]
        assert badge.split(">")[-1].strip() == "1", title


def test_one_query_counts_all_queues(admin: Client) -> None:
    BugReportFactory.create_batch(3)
    url = reverse("admin:index")
    admin.get(url)
    with CaptureQueriesContext(connection) as queries:
        admin.get(url)
    assert sum("bugreports_bugreport" in query["sql"] for query in queries) == 1


def test_a_row_shows_the_main_values(admin: Client) -> None:
    report = BugReportFactory(
        description="\n\n  First <b>line</b>\nsecond", priority="critical", occurrence_count=7, retain=True,
        retain_reason="x", regressed_at=timezone.now(), assignee=admin.user,  # type: ignore[attr-defined]
    )  # fmt: skip
    BugReportScreenshot.objects.create(
        report=report, key="k", content_type="image/jpeg", sha256="0" * 64, size_bytes=1, width_px=1, height_px=1
    )
    text = listed(admin)
    for expected in (
        "First &lt;b&gt;line&lt;/b&gt;",
        "\u00d77",
        "regressed",
        "critical",
        "has a screenshot",
        "retained",
    ):
        assert expected in text
    assert ">second" not in text


@pytest.mark.parametrize("words", ["shelf of WORLDS", "lia@studio.example", "' OR 1=1 --", "100%", "x" * 9000])
def test_any_search_text_is_accepted(words: str, admin: Client) -> None:
    BugReportFactory()
    assert ("The shelf of worlds" in listed(admin, q=words)) == (words[0] in "sl")


def test_the_sections_of_the_page_are_in_order(admin: Client, reporter_api: APIClient, settings: Settings) -> None:
    settings.BUGREPORTS_LOG_SEARCH_URL = "https://logs.example/?q={trace_id}"
    for _ in range(2):
        reporter_api.post("/api/bug-reports", full(), format="json", headers={"X-Trace-Id": "trace-of-it-1"})
    report = BugReport.objects.get()
    text = page(admin, report)
    parts = ["Star 12: the description is lost", "Resolve<kbd>", "Description</h2>", "Expected</h2>", "Steps</h2>",
             "Failed requests (1)", "Timeline", "Environment</h2>", "https://logs.example/?q=trace-of-it-1",
             "State</h2>", "4 secrets removed", "/appState/editor/password", "History</h2>"]  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert text.index("13:05:06.900") < text.index("13:05:07.201")
    assert "hunter2" not in text


def test_the_page_lists_related_reports_with_reasons(
    admin: Client, reporter_api: APIClient, admin_api: APIClient
) -> None:
    reporter_api.post("/api/bug-reports", crash(), format="json")
    admin_api.post("/api/bug-reports", crash(), format="json")
    canonical, sighting = BugReport.objects.order_by("pk")
    similar = BugReportFactory(description="Crash in Gallery again, please help")
    text = page(admin, canonical)
    assert "Duplicates</h2>" in text
    assert reverse("admin:bugreports_bugreport_change", args=[sighting.pk]) in text
    assert "similar words" in text
    assert reverse("admin:bugreports_bugreport_change", args=[similar.pk]) in text
    assert "same fingerprint" in page(admin, sighting)


def test_the_content_policy_excludes_other_hosts(admin: Client) -> None:
    response = admin.get(reverse("admin:bugreports_bugreport_change", args=[BugReportFactory().pk]))
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]


def test_the_page_of_an_expired_report_has_a_note(admin: Client) -> None:
    report = BugReportFactory(context_expired_at=timezone.now(), with_parts=False, submitted_by=None)
    assert "Its context expired" in page(admin, report)


@pytest.mark.parametrize("path", ["0", "x", "9" * 30])
def test_the_page_of_an_unknown_report_is_404(path: str, admin: Client) -> None:
    assert admin.get(reverse(LIST) + f"{path}/change/").status_code == 404


def test_each_action_has_a_button(admin: Client) -> None:
    report, canonical = BugReportFactory.create_batch(2)
    user = admin.user  # type: ignore[attr-defined]
    do(admin, report, "start")
    do(admin, report, "take")
    do(admin, report, "prioritize", priority="high")
    do(admin, report, "comment", text="on it")
    do(admin, report, "retain", reason="audit")
    assert (report.status, report.assignee, report.priority, report.retain) == ("in_progress", user, "high", True)
    do(admin, report, "release")
    do(admin, report, "assign", assignee="")
    do(admin, report, "resolve", kind="fixed", commit_sha="77c0de1", notes="done")
    assert (report.status, report.resolution_kind, report.retain, report.assignee) == ("resolved", "fixed", False, None)
    do(admin, report, "reopen")
    do(admin, report, "duplicate", duplicate_of=f" {canonical.report_id} ")
    assert report.duplicate_of == canonical
    do(admin, report, "unmerge")
    do(admin, report, "ignore", kind="wont_fix", notes="")
    assert report.status == "ignored"
    assert set(report.events.values_list("actor_id", flat=True)[1:]) == {"theo@studio.example"}
    do(admin, canonical, "assign", assignee=str(user.pk))
    assert canonical.assignee == user
    response = admin.post(reverse("admin:bugreports_bugreport_action", args=[canonical.pk, "delete"]))
    assert response.url == reverse(LIST)
    assert not BugReport.objects.filter(pk=canonical.pk).exists()


def test_an_action_opens_the_next_report_of_the_queue(admin: Client) -> None:
    now = timezone.now()
    newest, older = (BugReportFactory(submitted_at=now - timedelta(hours=hours)) for hours in (1, 2))
    response = do(admin, newest, "resolve", kind="fixed", queue="untriaged")
    assert response.url == reverse("admin:bugreports_bugreport_change", args=[older.pk]) + "?queue=untriaged"
    assert do(admin, older, "ignore", kind="", queue="untriaged").url == reverse(LIST) + "?queue=untriaged"
    assert do(admin, older, "comment", text="x", queue="untriaged").url.endswith("/change/?queue=untriaged")


@pytest.mark.parametrize(
    ("verb", "said", "expected"),
    [("ignore", {"kind": ""}, "cannot be ignored"), ("duplicate", {"duplicate_of": "bug_x"}, "not found"),
     ("resolve", {"kind": "magic"}, "Kind"), ("resolve", {"commit_sha": "zz"}, "hexadecimal"), ("retain", {}, "Reason"),
     ("comment", {"text": "  "}, "Text"), ("start", {"version": "77"}, "meanwhile")],
)  # fmt: skip
def test_a_rejected_action_shows_its_error_and_changes_nothing(
    verb: str, said: dict, expected: str, admin: Client
) -> None:
    report = BugReportFactory(status="resolved")
    response = admin.post(reverse("admin:bugreports_bugreport_action", args=[report.pk, verb]), said, follow=True)
    assert expected in response.content.decode()
    report.refresh_from_db()
    assert (report.status, report.version) == ("resolved", 1)


def test_a_concurrent_action_shows_a_conflict(admin: Client) -> None:
    report = BugReportFactory()
    triage.start([report.report_id], by=Actor("other@studio.example"), now=timezone.now())
    response = do(admin, report, "resolve", kind="fixed", version="1")
    assert report.status == "in_progress"
    assert "Somebody else changed" in admin.get(response.url).content.decode()


def _confirm(client: Client, action: str, reports: list[BugReport], **more: str) -> Any:
    data = {"action": action, "_selected_action": [report.pk for report in reports]} | more
    return client.post(reverse(LIST), data)


def test_a_bulk_action_is_confirmed_with_its_count(admin: Client) -> None:
    reports = BugReportFactory.create_batch(12)
    response = _confirm(admin, "resolve", reports)
    assert "Resolve 12 reports" in response.content.decode()
    selection = response.context["selection"]
    assert BugReport.objects.filter(status="resolved").count() == 0
    url = reverse("admin:bugreports_bugreport_bulk", args=["resolve"])
    response = admin.post(url, {"selection": selection, "kind": "wont_fix", "notes": "old"}, follow=True)
    assert "12 reports resolved" in response.content.decode()
    assert BugReport.objects.filter(status="resolved", resolution_notes="old").count() == 12
    response = admin.post(reverse("admin:bugreports_bugreport_bulk", args=["retain"]), {"selection": selection})
    assert "This field is required" in response.content.decode()
    assert admin.get(url).status_code == 405
    assert admin.post(reverse("admin:bugreports_bugreport_bulk", args=["magic"])).status_code == 404


def test_one_rejected_report_rolls_back_the_bulk_action(admin: Client) -> None:
    reports = [*BugReportFactory.create_batch(3), BugReportFactory(status="resolved")]
    selection = _confirm(admin, "ignore", reports).context["selection"]
    url = reverse("admin:bugreports_bugreport_bulk", args=["ignore"])
    response = admin.post(url, {"selection": selection, "kind": ""})
    assert "1 of 4 cannot" in response.content.decode()
    assert BugReport.objects.filter(status="ignored").count() == 0


def test_two_thousand_reports_are_closed_by_one_action(admin: Client) -> None:
    now = timezone.now()
    BugReport.objects.bulk_create(
        BugReport(report_id=f"bug_20250101_000000_{number:012}", submitted_at=now, last_seen_at=now, created_at=now,
                  updated_at=now, description="x") for number in range(2000)
    )  # fmt: skip
    some = list(BugReport.objects.all()[:1])
    response = _confirm(admin, "ignore", some, select_across="1")
    assert "Ignore 2,000 reports" in response.content.decode()
    data = {"selection": response.context["selection"], "kind": "wont_fix"}
    admin.post(reverse("admin:bugreports_bugreport_bulk", args=["ignore"]), data)
    assert BugReport.objects.filter(status="ignored").count() == 2000


def test_a_too_large_selection_is_rejected(admin: Client, settings: Settings) -> None:
    settings.BUGREPORTS_MAX_BULK_ROWS = 2
    response = _confirm(admin, "start", BugReportFactory.create_batch(3))
    assert "Filter the list" in admin.get(response.url).content.decode()


def test_selected_reports_are_exported(admin: Client) -> None:
    reports = BugReportFactory.create_batch(2)
    response = _confirm(admin, "export_json", reports)
    assert response.headers["Content-Type"] == "application/json"
    assert b"".join(response.streaming_content).count(b'"report_id"') == 2


def test_a_screenshot_is_shown_through_the_admin(admin: Client) -> None:
    report = BugReportFactory()
    url = reverse("admin:bugreports_bugreport_screenshot", args=[report.pk])
    assert admin.get(url).status_code == 404
    key = private_storage().save(screenshot_key(report.report_id), ContentFile(b"\xff\xd8picture"))
    BugReportScreenshot.objects.create(
        report=report, key=key, content_type="image/jpeg", sha256="0" * 64, size_bytes=9, width_px=1, height_px=1
    )
    response = admin.get(url)
    assert response.content == b"\xff\xd8picture"
    assert response.headers["Cache-Control"].startswith("private, no-store")
    assert url in page(admin, report)


@pytest.mark.parametrize(
    ("group", "sees", "judges", "deletes"),
    [(None, 403, 403, 403), ("Auditors", 200, 403, 403), ("Bug triage", 200, 302, 403), ("Bug admin", 200, 302, 302)],
)
def test_the_groups_decide_the_permissions(
    group: str | None, sees: int, judges: int, deletes: int, client: Client
) -> None:
    user = UserFactory(is_staff=True)
    user.groups.set(Group.objects.filter(name=group))
    client.force_login(user)
    report = BugReportFactory()
    change = reverse("admin:bugreports_bugreport_change", args=[report.pk])
    assert [client.get(reverse(LIST)).status_code, client.get(change).status_code] == [sees, sees]
    assert client.get(reverse("admin:bugreports_bugreport_screenshot", args=[report.pk])).status_code in (sees, 404)
    for verb, status in (("start", judges), ("delete", deletes)):
        assert client.post(reverse("admin:bugreports_bugreport_action", args=[report.pk, verb])).status_code == status
        bulk = reverse("admin:bugreports_bugreport_bulk", args=[verb])
        assert client.post(bulk).status_code == status
    index = client.get(reverse("admin:index")).content.decode()
    assert ("<span>Untriaged</span>" in index) == (sees == 200)


def test_invisible_characters_are_shown() -> None:
    assert visible("a\u202eb\u200bc\x1b[31m") == "a⟦U+202E⟧b⟦U+200B⟧c⟦U+001B⟧[31m"
    assert visible(None) == ""
    assert as_json({"a": "\u202e"}) == '{\n  "a": "⟦U+202E⟧"\n}'
    assert as_text({"a": 1}) == '{"a": 1}'


def test_the_copied_text_contains_no_markup(admin: Client) -> None:
    report = BugReportFactory(description="# Not *markup*\n```\n[x](javascript:1)", steps_to_reproduce=["<b>one</b>"])
    text = page(admin, report)
    assert "Copy as Markdown" in text
    assert "````\n# Not *markup*" in text
    assert "1. \\&lt;b\\&gt;one" in text


def test_the_purge_log_is_viewable(admin: Client) -> None:
    run = PurgeRunFactory(deleted=5, digest="ab" * 32)
    assert admin.get(reverse("admin:bugreports_purgerun_changelist")).status_code == 200
    text = admin.get(reverse("admin:bugreports_purgerun_change", args=[run.pk])).content.decode()
    assert "ab" * 32 in text


def test_the_page_of_a_duplicate_links_to_the_canonical_report(admin: Client) -> None:
    report, canonical = BugReportFactory.create_batch(2)
    merge([report.report_id], canonical.report_id, by=Actor("x"), now=timezone.now())
    assert f'A duplicate of <a href="{reverse("admin:bugreports_bugreport_change", args=[canonical.pk])}"' in page(
        admin, report
    )
