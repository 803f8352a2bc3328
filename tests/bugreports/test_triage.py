"""Triage: transitions, events, conflicts, merged and unmerged reports."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from bugreports import triage
from bugreports.audit_log import Actor
from bugreports.duplicates import merge, unmerge
from bugreports.errors import InvalidDuplicateLink, ReportNotFound, StaleReport, TransitionNotAllowed, UnknownAssignee
from bugreports.models import BugReport, BugReportEvent, BugReportGroup
from bugreports.statuses import STATUSES, can_transition
from common.errors import InvalidInput
from tests.factories.accounts import AdminFactory, UserFactory
from tests.factories.bugreports import BugReportFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 2, 12, 14, tzinfo=UTC)


def events(report: BugReport) -> list[str]:
    return list(report.events.order_by("pk").values_list("event_type", flat=True))


def set_status(report: BugReport, status: str, by: Actor, **more: Any) -> int:
    changed = triage.set_status([report.report_id], status, by=by, now=NOW, **more)
    report.refresh_from_db()
    return changed


@pytest.mark.parametrize("to", STATUSES)
@pytest.mark.parametrize("current", STATUSES)
def test_the_table_of_transitions(current: str, to: str, staff: Actor) -> None:
    report = BugReportFactory(status=current)
    if not can_transition(current, to):
        assert (current, to) == ("resolved", "ignored")
        with pytest.raises(TransitionNotAllowed) as error:
            set_status(report, to, staff)
        assert error.value.details == {"from": current, "to": to}
        assert events(report) == ["submitted"]
        return
    changed = set_status(report, to, staff)
    assert (changed, report.status) == (int(current != to), to)
    assert (report.resolved_at is not None) == (to in ("resolved", "ignored"))
    assert events(report) == (["submitted"] if current == to else ["submitted", "status_changed"])


def test_a_transition_records_actor_time_and_previous_status(staff: Actor) -> None:
    report = BugReportFactory()
    set_status(report, "resolved", staff, kind="fixed", commit_sha="77c0de1", notes="  Fixed in 3.4.2 ")
    event = report.events.last()
    assert (event.actor_id, event.actor_type, event.happened_at) == ("theo@studio.example", "user", NOW)
    assert event.event_data["before"] == {
        "status": "open", "resolution_kind": None, "resolution_notes": None, "resolution_commit_sha": None,
    }  # fmt: skip
    assert event.event_data["after"]["resolution_notes"] == "Fixed in 3.4.2"
    assert (event.event_data["from"], event.event_data["to"]) == ("open", "resolved")
    assert (report.triaged_at, report.resolved_at, report.version) == (NOW, NOW, 2)
    set_status(report, "open", staff)
    assert (report.resolved_at, report.resolution_kind, report.resolution_notes) == (None, None, "Fixed in 3.4.2")
    assert report.events.last().event_data["before"]["resolution_kind"] == "fixed"


def test_an_unchanged_status_updates_notes_without_an_event(staff: Actor) -> None:
    report = BugReportFactory()
    assert set_status(report, "open", staff, notes="Seen on Safari, too") == 1
    assert report.resolution_notes == "Seen on Safari, too"
    assert events(report) == ["submitted"]


@pytest.mark.parametrize(
    ("status", "more"),
    [
        ("resolved", {"kind": "magic"}), ("open", {"kind": "fixed"}), ("resolved", {"kind": "duplicate"}),
        ("resolved", {"commit_sha": "xyz"}), ("resolved", {"commit_sha": "123456"}), ("resolved", {"notes": "a\x00b"}),
        ("resolved", {"commit_sha": "f" * 65}), ("closed", {}),
    ],
)  # fmt: skip
def test_invalid_values_are_rejected(status: str, more: dict, staff: Actor) -> None:
    report = BugReportFactory()
    with pytest.raises(InvalidInput):
        set_status(report, status, staff, **more)
    assert events(report) == ["submitted"]


def test_a_bulk_transition_is_atomic(staff: Actor, django_assert_max_num_queries: Any) -> None:
    reports = [*BugReportFactory.create_batch(4), BugReportFactory(status="resolved")]
    ids = [report.report_id for report in reports]
    with pytest.raises(TransitionNotAllowed, match="1 of 5 cannot"):
        triage.ignore(ids, by=staff, now=NOW)
    assert BugReport.objects.filter(status="ignored").count() == 0
    assert triage.resolve(ids, by=staff, now=NOW, kind="wont_fix") == 5
    assert triage.reopen(ids, by=staff, now=NOW) == 5
    assert triage.start(ids, by=staff, now=NOW) == 5
    assert BugReportEvent.objects.filter(event_type="status_changed").count() == 15


def test_an_unknown_report_stops_the_bulk_transition(staff: Actor) -> None:
    report = BugReportFactory()
    with pytest.raises(ReportNotFound):
        triage.start([report.report_id, "bug_20260101_000000_000000000000"], by=staff, now=NOW)
    assert events(report) == ["submitted"]


def test_an_older_version_is_a_conflict(staff: Actor) -> None:
    report = BugReportFactory()
    set_status(report, "in_progress", staff, version=1)
    with pytest.raises(StaleReport):
        set_status(report, "resolved", staff, version=1)


def test_only_staff_can_be_assigned(staff: Actor) -> None:
    report, ids = BugReportFactory(), None
    ids = [report.report_id]
    user = AdminFactory()
    for nobody in (UserFactory().email, "nobody@studio.example", AdminFactory(is_active=False).email):
        with pytest.raises(UnknownAssignee):
            triage.assign(ids, nobody, by=staff, now=NOW)
    assert triage.assign(ids, user.email.upper(), by=staff, now=NOW) == 1
    assert triage.assign(ids, user.email, by=staff, now=NOW) == 0
    assert list(BugReport.objects.assigned_to(user)) == [report]
    assert triage.assign(ids, None, by=staff, now=NOW) == 1
    assert events(report) == ["submitted", "assigned", "assigned"]
    assert report.events.last().event_data["before"] == {"assignee": user.email}


def test_a_priority_change_is_recorded(staff: Actor) -> None:
    report = BugReportFactory()
    assert list(BugReport.objects.untriaged()) == [report]
    triage.set_priority([report.report_id], "high", by=staff, now=NOW)
    assert not BugReport.objects.untriaged().exists()
    with pytest.raises(InvalidInput):
        triage.set_priority([report.report_id], "urgent", by=staff, now=NOW)


def test_retention_records_user_and_reason(staff: Actor) -> None:
    report = BugReportFactory()
    with pytest.raises(InvalidInput):
        triage.retain([report.report_id], "  ", by=staff, now=NOW)
    triage.retain([report.report_id], "requested by the lawyers", by=staff, now=NOW)
    report.refresh_from_db()
    assert (report.retained_by, report.retain_reason) == ("theo@studio.example", "requested by the lawyers")
    assert triage.release([report.report_id], by=staff, now=NOW) == 1
    assert events(report) == ["submitted", "retained", "released"]


def test_a_comment_is_recorded(staff: Actor) -> None:
    report = BugReportFactory()
    triage.add_comment([report.report_id], " Same as last week? ", by=staff, now=NOW)
    assert report.events.last().event_data == {"text": "Same as last week?"}


@pytest.mark.django_db(transaction=True)
def test_concurrent_resolutions_change_the_report_once() -> None:
    report = BugReportFactory()
    outcomes: list[object] = []

    def resolve() -> None:
        try:
            by = Actor("x@studio.example")
            outcomes.append(triage.resolve([report.report_id], by=by, now=timezone.now(), version=1))
        except StaleReport as error:
            outcomes.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=resolve) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(map(str, outcomes)) == ["1"] + ["report_changed"] * 5
    assert events(report) == ["submitted", "status_changed"]


# --- duplicates ---


def _group(canonical: BugReport, fingerprint: str) -> BugReportGroup:
    return BugReportGroup.objects.create(
        fingerprint=fingerprint, canonical_report=canonical, first_seen_at=NOW, last_seen_at=NOW
    )


def _state() -> dict[str, tuple]:
    return {
        row.report_id: (row.status, row.resolution_kind, row.duplicate_of_id, row.occurrence_count, row.triaged_at)
        for row in BugReport.objects.all()
    }


def test_unmerging_restores_the_state_before_the_merge(staff: Actor) -> None:
    canonical, other, follower = BugReportFactory.create_batch(3)
    group = _group(other, "v1:other")
    merge([follower.report_id], other.report_id, by=staff, now=NOW)
    before = _state()
    assert before[other.report_id][3] == 2
    merge([other.report_id], canonical.report_id, by=staff, now=NOW)
    group.refresh_from_db()
    follower.refresh_from_db()
    canonical.refresh_from_db()
    assert (group.canonical_report, follower.duplicate_of, canonical.occurrence_count) == (canonical, canonical, 3)
    unmerge([other.report_id], by=staff, now=NOW)
    group.refresh_from_db()
    assert group.canonical_report == other
    assert _state() == before
    assert events(other)[-2:] == ["merged", "unmerged"]
    assert events(canonical) == ["submitted", "duplicate_received", "duplicate_left"]


def test_reopening_a_duplicate_reverts_its_counts(staff: Actor) -> None:
    canonical, other = BugReportFactory.create_batch(2)
    merge([other.report_id], canonical.report_id, by=staff, now=NOW)
    set_status(other, "open", staff)
    canonical.refresh_from_db()
    assert (other.duplicate_of, other.status, canonical.occurrence_count) == (None, "open", 1)


def test_duplicates_form_no_cycles_and_no_chains(staff: Actor) -> None:
    one, two, three = BugReportFactory.create_batch(3)
    with pytest.raises(InvalidDuplicateLink, match="itself"):
        merge([one.report_id], one.report_id, by=staff, now=NOW)
    merge([two.report_id], one.report_id, by=staff, now=NOW)
    with pytest.raises(InvalidDuplicateLink, match="circle"):
        merge([one.report_id], two.report_id, by=staff, now=NOW)
    merge([three.report_id], two.report_id, by=staff, now=NOW)  # two is a duplicate: its canonical it is
    three.refresh_from_db()
    assert three.duplicate_of == one
    with pytest.raises(ReportNotFound):
        merge([one.report_id], "bug_20260101_000000_000000000000", by=staff, now=NOW)


def test_a_report_and_its_duplicate_are_merged_together(staff: Actor) -> None:
    canonical, one, two = BugReportFactory.create_batch(3)
    merge([two.report_id], one.report_id, by=staff, now=NOW)
    assert merge([one.report_id, two.report_id], canonical.report_id, by=staff, now=NOW) == 2
    canonical.refresh_from_db()
    assert canonical.occurrence_count == 3
    assert set(canonical.duplicates.all()) == {one, two}


@pytest.mark.django_db(transaction=True)
def test_concurrent_merges_leave_groups_of_depth_one() -> None:
    reports = BugReportFactory.create_batch(6)
    ids = [report.report_id for report in reports]
    for report in reports:
        _group(report, f"v1:{report.pk}")

    def shuffle(offset: int) -> None:
        by = Actor(f"p{offset}@studio.example")
        try:
            for step in range(12):
                one, other = ids[(step + offset) % 6], ids[(step * 3 + offset * 2 + 1) % 6]
                try:
                    if step % 3 == 2:
                        unmerge([one, other], by=by, now=timezone.now())
                    else:
                        merge([one], other, by=by, now=timezone.now())
                except (InvalidDuplicateLink, StaleReport):
                    pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=shuffle, args=(offset,)) for offset in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not BugReport.objects.filter(duplicate_of__duplicate_of__isnull=False).exists()
    unmerge(ids, by=Actor("x@studio.example"), now=timezone.now())
    unmerge(ids, by=Actor("x@studio.example"), now=timezone.now())
    assert {row.status for row in BugReport.objects.all()} == {"open"}
    assert BugReportGroup.objects.filter(canonical_report=None).count() == 0


def test_queue_filters(staff: Actor) -> None:
    old = BugReportFactory(submitted_at=timezone.now() - timedelta(days=28))
    BugReportFactory(submitted_at=timezone.now() - timedelta(days=28), retain=True, retain_reason="x")
    gone = BugReportFactory(context_expired_at=NOW)
    due = timezone.now() - timedelta(days=27)
    assert list(BugReport.objects.with_context_due_before(due)) == [old]
    assert list(BugReport.objects.expired_but_active()) == [gone]
