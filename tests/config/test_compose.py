"""Facts about the containers that can be checked without an engine to run them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("web", "worker", "beat", "migrate")
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_has_all_parts_of_the_service():
    assert {"web", "worker", "beat", "postgres", "redis", "clamav"} <= SERVICES.keys()
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["gcs"]


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"migrate", "web"}))
def test_every_lasting_part_has_a_health_check(name: str):
    assert SERVICES[name]["healthcheck"]["test"]


def test_the_web_part_is_checked_as_the_image_says():
    assert "healthcheck" not in SERVICES["web"]
    assert re.search(r"^HEALTHCHECK ", DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_nothing_starts_before_the_database_is_ready_and_migrated(name: str):
    conditions = {other: wait["condition"] for other, wait in SERVICES[name]["depends_on"].items()}
    assert conditions == {
        "migrate": "service_completed_successfully",
        "postgres": "service_healthy",
        "redis": "service_healthy",
    }


def test_whatever_must_last_lies_on_a_named_volume_that_is_declared():
    mounted = {mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert mounted == COMPOSE["volumes"].keys()
    assert {"postgres", "redis", "media"} <= mounted


def test_holds_no_secret_and_refuses_to_start_without_each():
    for name, value in re.findall(r"^\s+(\w*(?:SECRET|PASSWORD|KEY)\w*): (.+)$", TEXT, re.MULTILINE):
        assert value.startswith("${" + name + ":?"), f"{name} is written into the file, or may be left out"
    for use in re.findall(r"\$\{(?:SECRET_KEY|ACCOUNTS_SIGNING_KEY|\w+_PASSWORD)\b[^}]*", TEXT):
        assert ":?" in use


def test_only_the_web_part_can_be_reached_and_by_default_only_from_here():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["web"]
    assert SERVICES["web"]["ports"] == ["${HOST:-127.0.0.1}:${PORT:-8000}:8000"]


@pytest.mark.parametrize("name", OURS)
def test_our_parts_run_without_privileges_on_a_read_only_file_system(name: str):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


def test_the_image_is_built_in_stages_and_does_not_run_as_root():
    assert len(re.findall(r"^FROM ", DOCKERFILE, re.MULTILINE)) == 2
    users = re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)
    assert users == ["10001:10001"]
    assert "--require-hashes" in DOCKERFILE


def test_the_image_contains_every_production_app_and_nothing_else_unnamed():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    taken = {line.removeprefix("!") for line in lines if line.startswith("!")}
    apps = {file.parent.name for file in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks", "devstack"}
    assert apps | {"manage.py", "requirements.txt"} <= taken
