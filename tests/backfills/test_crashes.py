"""Workers killed at every statement: the result equals that of an uninterrupted run."""

import json
import subprocess
import sys

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from assets.backfill_rules import CREATOR_DESCRIPTION_RULE
from assets.models import Asset
from backfills.engine.run_context import context_for_rule
from backfills.engine.run_setup import create_run_context, start_run
from backfills.models import BackfillBatch, BackfillChange
from backfills.run_control import begin_undo
from tests.factories.assets import make_assets
from tests.support.backfills import BY, run_of, run_to_the_end, started, table_hash
from tests.support.processes import ENVIRONMENT, PROJECT

pytestmark = pytest.mark.django_db(transaction=True)

ROWS, BATCH_ROWS, MAX_WORKERS = 60, 4, 60


def _kill_workers(run_pk: int) -> dict[str, int]:
    spec = {"database": connection.settings_dict["NAME"], "run_pk": run_pk, "max_workers": MAX_WORKERS}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.crashing_backfill", json.dumps(spec)],
        env=ENVIRONMENT, cwd=PROJECT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_a_kill_at_any_statement_of_run_and_undo_loses_and_repeats_nothing() -> None:
    make_assets(ROWS)
    before = table_hash()
    undisturbed = started(CREATOR_DESCRIPTION_RULE, batch_size=BATCH_ROWS)
    run_to_the_end(undisturbed)
    filled = table_hash()
    begin_undo(undisturbed.run_pk, by=BY, now=timezone.now())
    run_to_the_end(undisturbed)
    assert table_hash() == before

    context = create_run_context(
        CREATOR_DESCRIPTION_RULE, apps, parameters={}, by=BY, reason="a test", now=timezone.now(), batch_size=BATCH_ROWS
    )
    start_run(context, by=BY, now=timezone.now())
    output = _kill_workers(context.run_pk)
    assert output["died"] >= 25, "no worker died late enough to show anything"
    run_to_the_end(context_for_rule(CREATOR_DESCRIPTION_RULE, context.run_pk, apps))
    run = run_of(context)
    assert table_hash() == filled
    assert (run.state, run.changed_rows, run.batches_done) == ("finished", ROWS, ROWS // BATCH_ROWS)
    assert BackfillChange.objects.filter(run=run).count() == ROWS
    assert sum(BackfillBatch.objects.filter(run=run).values_list("size", flat=True)) == ROWS

    begin_undo(context.run_pk, by=BY, now=timezone.now())
    output = _kill_workers(context.run_pk)
    assert output["died"] >= 25
    run_to_the_end(context_for_rule(CREATOR_DESCRIPTION_RULE, context.run_pk, apps))
    assert table_hash() == before
    assert run_of(context).restored_rows == ROWS
    assert not Asset.objects.exclude(creator_description=None).exists()


def test_a_lost_connection_is_reopened_and_the_batch_repeated() -> None:
    """A restart of the database ends the session in the middle of a batch."""
    make_assets(30)
    context = started(CREATOR_DESCRIPTION_RULE)
    script = (
        "import django; django.setup()\n"
        "from django.apps import apps\nfrom django.db import connection\nfrom django.utils import timezone\n"
        "from assets.backfill_rules import CREATOR_DESCRIPTION_RULE as rule\n"
        "from jobs.runner import run_batches, acquire_lease\n"
        "from backfills.engine.run_context import context_for_rule\n"
        f"connection.settings_dict['NAME'] = {connection.settings_dict['NAME']!r}\n"
        "seen = []\n"
        "def cut(execute, sql, params, many, context):\n"
        "    result = execute(sql, params, many, context)\n"
        "    if 'INSERT INTO' in sql and 'unnest' in sql and not seen:\n"
        "        seen.append(sql)\n"
        "        context['cursor'].execute('SELECT pg_terminate_backend(pg_backend_pid())')\n"
        "    return result\n"
        "connection.execute_wrappers.append(cut)\n"
        f"context = context_for_rule(rule, {context.run_pk}, apps)\n"
        "token = acquire_lease(context, now=timezone.now())\n"
        "result = run_batches(context, token, clock=timezone.now, throttle_reason=lambda: '')\n"
        "print(result.state, len(seen))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=ENVIRONMENT,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["finished 1"], done.stderr[-2000:]
    run = run_of(context)
    assert (run.changed_rows, run.batches_done) == (30, 3)
    assert BackfillChange.objects.filter(run=run).count() == 30
