"""Production starts with its secrets or not at all, and has nothing to be warned of."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = {
    "SECRET_KEY": "kq3v9x7RtYw2Lm5Np8Bz4Hd6Jf1Gs0Ac-UeIoThXnVbMrQyWlKj",
    "ACCOUNTS_SIGNING_KEY": "Zp4Wn7Lx2Qc9Vb5Mj8Kh3Gf6Ds1Ta0Ry_OiUeXlCzNvBqMwKtHg",
    "DATABASE_URL": "postgres://registry:password@database.invalid/registry",
    "REDIS_URL": "redis://queue.invalid:6379",
    "ALLOWED_HOSTS": "registry.example.org",
    "PUBLIC_BASE_URL": "https://registry.example.org",
}


def manage(*arguments: str, settings: str = "production", **environment: str) -> subprocess.CompletedProcess[str]:
    # Only what is given here: neither the test suite's own addresses nor a secret of whoever runs it.
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=bare | {"DJANGO_SETTINGS_MODULE": f"config.settings.{settings}"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# In the settings module and not by a check, so that a web server or a worker cannot start either.
@pytest.mark.parametrize("name", NEEDED)
def test_does_not_start_without(name: str):
    answer = manage("check", **NEEDED | {name: ""})
    assert answer.returncode != 0
    assert f"production needs these environment variables: {name}" in answer.stderr


@pytest.mark.parametrize("name", ["SECRET_KEY", "ACCOUNTS_SIGNING_KEY"])
def test_does_not_start_with_a_short(name: str):
    answer = manage("check", **NEEDED | {name: "short"})
    assert answer.returncode != 0
    assert f"at least 50 characters in: {name}" in answer.stderr


@pytest.mark.parametrize("settings", ["production", "staging"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("OUTBOUND_ALLOW_HTTP", "1"), ("OUTBOUND_ALLOW_LOOPBACK", "true"), ("OUTBOUND_ALLOWED_PORTS", "443,8443")],
)
def test_does_not_start_with_a_way_to_inner_addresses(name: str, value: str, settings: str):
    answer = manage("check", settings=settings, **NEEDED | {name: value})
    assert answer.returncode != 0
    assert f"production does not allow these: {name}" in answer.stderr


@pytest.mark.parametrize("settings", ["production", "staging"])
def test_passes_the_check_for_deployment_without_a_warning(settings: str):
    answer = manage("check", "--deploy", "--fail-level", "WARNING", settings=settings, **NEEDED)
    assert answer.returncode == 0, answer.stderr
    assert "no issues (0 silenced)" in answer.stdout + answer.stderr
