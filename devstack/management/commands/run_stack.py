import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from common.errors import Conflict
from devstack.bootstrap import bootstrap_development
from devstack.stack import ensure_port_free, lock_checkout, serve_stack


class Command(BaseCommand):
    help = "Prepare the database, then run web, worker and beat until Ctrl-C. What ends is started again."
    requires_system_checks = ()  # each process runs the checks itself

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.STACK_HOST)
        parser.add_argument("--port", type=int, default=settings.STACK_PORT)
        parser.add_argument("--web-workers", type=int, default=settings.STACK_WEB_WORKERS)
        parser.add_argument("--no-demo", action="store_true", default=not settings.STACK_LOADS_DEMO)
        parser.add_argument("--stop-with-parent", action="store_true", help="stop when the calling process ends")

    def handle(self, *args: Any, host: str, port: int, web_workers: int, **options: Any) -> None:
        parent_pid = os.getppid() if options["stop_with_parent"] else None
        if settings.ENVIRONMENT_NAME != "development":
            raise CommandError("run_stack is for development. A deployment starts web, worker and beat separately.")
        try:
            with lock_checkout(settings.STACK_DIR):
                ensure_port_free(host, port)
                for line in bootstrap_development(with_demo=not options["no_demo"], now=timezone.now()):
                    self.stdout.write(line)
                connection.close()
                if connection.pool:
                    connection.close_pool()
                code = serve_stack(
                    host=host,
                    port=port,
                    web_workers=web_workers,
                    directory=settings.STACK_DIR,
                    parent_pid=parent_pid,
                )
        except Conflict as error:
            raise CommandError(error.message) from error
        raise SystemExit(code)
