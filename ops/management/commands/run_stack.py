"""The whole service on one machine."""

import os
import socket
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from ops.first_start import prepare_development
from ops.supervisor import Supervisor


class Command(BaseCommand):
    help = "Prepare the database, then run web, worker and beat until Ctrl-C or until one of them ends."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        parser.add_argument("--workers", type=int, default=int(os.environ.get("WEB_WORKERS", "2")))
        parser.add_argument("--no-demo", action="store_true", default=os.environ.get("DEMO") == "0")

    def handle(self, *args: Any, host: str, port: int, workers: int, no_demo: bool, **options: Any) -> None:
        if settings.ENVIRONMENT_NAME != "development":
            raise CommandError("run_stack is for development; a deployment runs its parts by themselves")
        _refuse_taken_port(host, port)
        for line in prepare_development(with_demo=not no_demo, now=timezone.now()):
            self.stdout.write(line)
        _close_connections()
        self.stdout.write(self.style.SUCCESS(f"Serving on http://{host}:{port} - admin at /admin/, API at /api/docs"))
        self.stdout.flush()
        schedule_file = Path(settings.BASE_DIR) / "var" / "beat-schedule"
        python = [sys.executable, "-m"]
        commands = {
            "web": [
                *python, "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
                "--workers", str(workers), "--blocking-threads", "1", "--workers-kill-timeout", "10",
                "--log-level", "warning", "config.wsgi:application",
            ],
            "worker": [*python, "celery", "-A", "config", "worker", "--concurrency", "2", "--loglevel", "INFO"],
            "beat": [*python, "celery", "-A", "config", "beat", "--schedule", str(schedule_file), "--pidfile="],
        }  # fmt: skip
        environment = {**os.environ, "PORT": str(port)}
        sys.exit(Supervisor(commands, environment=environment).run())


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(f"{host}:{port} cannot be used ({error.strerror}); set PORT to another one") from error


def _close_connections() -> None:
    """The children open their own."""
    connection.close()
    if getattr(connection, "pool", None):
        connection.close_pool()
