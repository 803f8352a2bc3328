"""What a first start leaves in an empty database."""

import pytest
from django.utils import timezone

from devstack import bootstrap
from flags.guards import register_guard, unregister_guard
from flags.registry import AI_METADATA, FLAG_NAMES
from flags.rollout import Stage, list_rollouts
from tests.support.flag_states import set_flags

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def held():
    hold = register_guard(AI_METADATA, 50, lambda: "its backfill is not finalised")
    yield
    unregister_guard(hold)


def test_the_demo_shows_every_field_and_what_is_held_back_to_staff(held, monkeypatch):
    monkeypatch.setattr(bootstrap, "DEMO_ASSET_COUNT", 6)
    with set_flags():
        lines = bootstrap.bootstrap_development(with_demo=True, now=timezone.now())
        stages = {row.field.flag: row.stage for row in list_rollouts()}
        again = bootstrap.bootstrap_development(with_demo=True, now=timezone.now())
    assert stages == dict.fromkeys(FLAG_NAMES, Stage.EVERYONE) | {AI_METADATA: Stage.STAFF}
    assert "Shown to staff only, for now: ai_metadata." in lines
    assert len(again) == 1  # the logins
