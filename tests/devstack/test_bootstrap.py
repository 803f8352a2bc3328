"""The first start with an empty database."""

import pytest
from django.utils import timezone

from devstack import bootstrap
from flags.guards import register_guard, unregister_guard
from flags.registry import AI_METADATA, FLAG_NAMES
from flags.rollout import Stage, list_rollouts
from tests.support.flag_states import set_flags

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def blocked():
    guard = register_guard(AI_METADATA, 50, lambda: "its backfill is not finalised")
    yield
    unregister_guard(guard)


def test_the_demo_enables_all_flags_and_a_blocked_flag_for_staff(blocked, monkeypatch):
    monkeypatch.setattr(bootstrap, "DEMO_ASSET_COUNT", 6)
    with set_flags():
        lines = bootstrap.bootstrap_development(with_demo=True, now=timezone.now())
        stages = {row.field.flag: row.stage for row in list_rollouts()}
        again = bootstrap.bootstrap_development(with_demo=True, now=timezone.now())
    assert stages == dict.fromkeys(FLAG_NAMES, Stage.EVERYONE) | {AI_METADATA: Stage.STAFF}
    assert "Enabled for staff only: ai_metadata." in lines
    assert len(again) == 1  # the demo logins
