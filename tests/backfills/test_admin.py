"""Admin pages of runs: content and permissions in each state."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from assets.models import Asset
from backfills import tasks
from backfills.models import BackfillGlobalPause, BackfillRun
from backfills.run_control import begin_undo
from tests.factories.accounts import UserFactory
from tests.factories.assets import make_assets
from tests.support.backfills import BY, DescribeByName, registered, run_of, run_to_the_end, started

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rule() -> Iterator[DescribeByName]:
    with registered(DescribeByName()) as rule:
        yield rule


@pytest.fixture
def staff(client: Client, admin_user: User) -> Client:
    client.force_login(admin_user)
    return client


def _page(run_pk: int) -> str:
    return reverse("admin:backfills_backfillrun_change", args=[run_pk])


def _do(client: Client, run_pk: int, action: str) -> str:
    response = client.post(reverse("admin:backfills_backfillrun_action", args=[run_pk, action]), follow=True)
    assert response.status_code == 200
    return response.text


def test_a_run_is_planned_started_finished_and_undone_from_its_pages(staff: Client) -> None:
    assets = make_assets(30)
    data = {"rule": "tests.describe", "reason": "Phase 2B", "batch_size": "10", "sleep_ratio": "0", "parameters": ""}
    response = staff.post(reverse("admin:backfills_backfillrun_plan"), data, follow=True)
    run = BackfillRun.objects.get()
    assert "A worker is making the plan" in response.text
    tasks.plan_backfill(run.pk)
    page = staff.get(_page(run.pk)).text
    assert "30 rows to change" in page
    assert f"about {assets[0].name}" in page
    question = staff.get(reverse("admin:backfills_backfillrun_action", args=[run.pk, "start"])).text
    assert "30 rows to change." in question
    started = _do(staff, run.pk, "start")
    assert "Starting" in started
    assert "A worker checks the rows before the start" in started
    assert "/actions/start/" not in started
    tasks.start_backfill(run.pk)
    assert ">Pause</button>" in staff.get(_page(run.pk)).text
    tasks.continue_run(run.pk)
    assert run_of_pk(run.pk).state == "finished"
    Asset.objects.filter(pk=assets[0].pk).update(creator_description="mine", creator_description_origin="")
    question = staff.get(reverse("admin:backfills_backfillrun_action", args=[run.pk, "undo"])).text
    assert "29 values will be restored" in question
    assert "1 values have changed since" in question
    _do(staff, run.pk, "undo")
    tasks.continue_run(run.pk)
    page = staff.get(_page(run.pk)).text
    assert "Conflicts (changed since the run" in page
    assert run_of_pk(run.pk).state == "undone"


def run_of_pk(pk: int) -> BackfillRun:
    return BackfillRun.objects.get(pk=pk)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"reason": ""}, "reason is required"),
        ({"parameters": "colour=red"}, "has no parameter colour"),
        ({"parameters": "nonsense"}, "is not NAME=VALUE"),
        ({"batch_size": "99999"}, "batch_size must be between 1 and 5000"),
        ({"batch_size": "many"}, "Enter a whole number"),
        ({"rule": "no.such"}, "Select a valid choice"),
    ],
)
def test_an_invalid_plan_form_shows_the_error(staff: Client, data: dict[str, str], text: str) -> None:
    facts = {"rule": "tests.describe", "reason": "why", "batch_size": "10", "sleep_ratio": "0", "parameters": ""}
    response = staff.post(reverse("admin:backfills_backfillrun_plan"), facts | data)
    assert response.status_code == 200
    assert text in response.text
    assert not BackfillRun.objects.exists()


def test_every_button_of_every_state_opens_or_works(staff: Client) -> None:
    make_assets(30)
    context = started(DescribeByName())
    for action, state in (
        ("pause", "paused"), ("resume", "running"), ("force-unlock", "running"), ("cancel", "cancelled"),
        ("undo", "undoing"), ("force-unlock", "undoing"),
    ):  # fmt: skip
        staff.get(reverse("admin:backfills_backfillrun_action", args=[context.run_pk, action]))
        _do(staff, context.run_pk, action)
        assert run_of(context).state == state
        assert f">{state.capitalize()}</strong>" in staff.get(_page(context.run_pk)).text
    assert "cannot become" in _do(staff, context.run_pk, "finalise")
    _do(staff, context.run_pk, "no-such-action")


def test_finalise_shows_its_errors_and_failed_rows_are_retried(staff: Client, rule: DescribeByName) -> None:
    assets = make_assets(12)
    rule.answer = lambda row: {}["nothing"] if row["pk"] == assets[0].pk else None
    context = started(rule)
    run_to_the_end(context)
    question = staff.get(reverse("admin:backfills_backfillrun_action", args=[context.run_pk, "finalise"])).text
    assert "1 rows have failed" in question
    page = staff.get(_page(context.run_pk)).text
    assert "KeyError" in page
    assert reverse("admin:assets_asset_change", args=[assets[0].pk]) in page
    rule.answer = lambda row: None
    _do(staff, context.run_pk, "retry-failed")
    _do(staff, context.run_pk, "finalise")
    assert run_of(context).state == "finalised"
    _do(staff, context.run_pk, "reopen")
    assert run_of(context).state == "finished"


def test_pace_and_global_pause_are_set_from_the_pages(staff: Client) -> None:
    make_assets(3)
    context = started(DescribeByName())
    url = reverse("admin:backfills_backfillrun_adjust", args=[context.run_pk])
    staff.post(url, {"batch_size": "7", "sleep_ratio": "1.5"})
    assert (run_of(context).batch_size, run_of(context).sleep_ratio) == (7, 1.5)
    for wrong in ({"batch_size": "0", "sleep_ratio": "1"}, {"batch_size": "x", "sleep_ratio": "1"}):
        assert staff.post(url, wrong, follow=True).status_code == 200
        assert run_of(context).batch_size == 7
    hold = reverse("admin:backfills_backfillrun_pause_all")
    assert "reason is required" in staff.post(hold, {"reason": ""}).text
    staff.post(hold, {"reason": "release day"})
    assert BackfillGlobalPause.objects.get().reason == "release day"
    assert "release day" in staff.get(_page(context.run_pk)).text
    staff.post(hold)
    assert not BackfillGlobalPause.objects.exists()


def test_view_permission_shows_no_button_and_allows_no_action(client: Client) -> None:
    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_backfillrun"))
    client.force_login(user)
    make_assets(3)
    context = started(DescribeByName())
    page = client.get(_page(context.run_pk))
    assert page.status_code == 200
    assert ">Pause</button>" not in page.text
    for action in ("pause", "cancel", "undo", "finalise"):
        assert (
            client.post(reverse("admin:backfills_backfillrun_action", args=[context.run_pk, action])).status_code == 403
        )
    for name in ("plan", "pause_all"):
        assert client.get(reverse(f"admin:backfills_backfillrun_{name}")).status_code == 403
    assert run_of(context).state == "running"


def test_control_permission_does_not_allow_undo(client: Client) -> None:
    user = UserFactory(is_staff=True)
    codes = ["view_backfillrun", "control_backfillrun"]
    user.user_permissions.add(*Permission.objects.filter(codename__in=codes))
    client.force_login(user)
    make_assets(3)
    context = started(DescribeByName())
    assert client.post(reverse("admin:backfills_backfillrun_action", args=[context.run_pk, "pause"])).status_code == 302
    assert client.post(reverse("admin:backfills_backfillrun_action", args=[context.run_pk, "undo"])).status_code == 403
    assert "Undo…" not in client.get(_page(context.run_pk)).text


def test_the_page_of_a_run_whose_rule_is_gone_still_opens(staff: Client) -> None:
    make_assets(3)
    context = started(DescribeByName())
    BackfillRun.objects.update(rule_name="old.rule")
    assert "no longer registered" in staff.get(_page(context.run_pk)).text
    assert "There is no rule" in _do(staff, context.run_pk, "pause")


def test_progress_document_of_the_open_page(staff: Client) -> None:
    make_assets(12)
    context = started(DescribeByName())
    run_to_the_end(context)
    begin_undo(context.run_pk, by=BY, now=timezone.now())
    progress = staff.get(reverse("admin:backfills_backfillrun_progress", args=[context.run_pk])).json()
    assert (progress["state"], progress["changed"], progress["rowsTotal"]) == ("undoing", 12, 12)
    assert sum(bar["rows"] for bar in progress["bars"]) == 12
    assert "<td>2</td>" in progress["batchesHtml"]
