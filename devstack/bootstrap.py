"""Prepare a development database: migrate it, and load demo data if it is empty."""

import logging
from datetime import datetime

from django.core.management import call_command

from accounts.demo import DEMO_PASSWORD, ensure_demo_users
from assets.demo import load_demo
from assets.models import Asset
from flags.editing import turn_on_for_everyone
from flags.guards import current_block
from flags.models import FlagChange
from flags.registry import FLAG_NAMES
from flags.rollout import Stage, set_stage
from taxonomy.sync import install_starter_taxonomy

log = logging.getLogger(__name__)

DEMO_ASSET_COUNT = 1103


def bootstrap_development(*, with_demo: bool, now: datetime) -> list[str]:
    """Migrate, load missing demo data and return lines to print. Repeatable."""
    call_command("migrate", interactive=False, verbosity=0)
    lines = []
    starter = install_starter_taxonomy(now=now)
    if starter:
        lines.append(f"Loaded the starter taxonomy, version {starter.version}.")
    users = ensure_demo_users()
    if with_demo and starter and not Asset.objects.exists():
        count = load_demo(asset_count=DEMO_ASSET_COUNT, now=now)
        lines.append(f"Loaded {count} demo assets (`manage.py clear_demo` removes them).")
        if not FlagChange.objects.exists():
            lines += _turn_flags_on(now)
    lines.append("Demo logins: " + ", ".join(user.email for user in users) + f" (password {DEMO_PASSWORD}).")
    return lines


def _turn_flags_on(now: datetime) -> list[str]:
    """Turn all flags on for everyone, and flags blocked by a guard for staff only."""
    blocked = sorted(name for name in FLAG_NAMES if current_block(name))
    turn_on_for_everyone(FLAG_NAMES - set(blocked), by=None, reason="demo data", now=now)
    for name in blocked:
        set_stage(name=name, stage=Stage.STAFF, by=None, reason="demo data, blocked by a guard", now=now)
    return [f"Enabled for staff only: {', '.join(blocked)}."] if blocked else []
