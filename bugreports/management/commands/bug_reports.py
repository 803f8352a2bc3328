"""Bug reports for operators: list, show, update, delete, purge, stats, export."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bugreports.audit_log import Actor
from bugreports.deletion import delete_reports
from bugreports.exports import export_reports
from bugreports.filters import filter_reports, get_report
from bugreports.metrics import report_metrics
from bugreports.models import BugReport, BugReportEvent
from bugreports.purge import purge
from bugreports.serialization import prefetch_detail, prefetch_summary, serialize_detail, serialize_summary
from bugreports.statuses import PRIORITIES, RESOLUTION_KINDS, STATUSES
from bugreports.updates import ReportChanges, update_report
from common.errors import RegistryError
from common.sentinels import UNSET

_CONTEXT = ("environment", "client_meta", "app_state")
_REJECTED, _USAGE = 1, 2
_RESOLUTION = {"notes": "notes", "note": "notes", "commit_sha": "commit_sha", "commit": "commit_sha", "kind": "kind"}


class Command(BaseCommand):
    help = "Work with bug reports. Prints JSON; exit code 1 for unknown ids and rejected changes, 2 for wrong usage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--root", help="Ignored: reports are no longer kept as files.")
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="Newest first; a table for a terminal, JSON for everything else.")
        _add_filters(listing)
        listing.add_argument("--limit", type=int, default=100)
        listing.add_argument("--json", action="store_true", dest="as_json", help="JSON for a terminal, too.")
        listing.add_argument("--include-context", action="store_true", help="With environment, client and state.")
        for name, text in (("show", "One report with all there is."), ("delete", "Remove a report at once.")):
            actions.add_parser(name, help=text).add_argument("report_id")
        update = actions.add_parser("update", help="Change status, resolution, priority, assignee.")
        update.add_argument("report_id")
        update.add_argument("--status", choices=STATUSES)
        update.add_argument("--resolution", help='JSON: {"notes": ..., "commit_sha": ..., "kind": ...}')
        update.add_argument("--duplicate-of", metavar="ID")
        update.add_argument("--priority", choices=[*PRIORITIES, "none"])
        update.add_argument("--assignee", help='E-mail of a member of staff, or "none".')
        update.add_argument("--actor", default="command", help="Actor of the audit log.")
        purging = actions.add_parser("purge", help="Delete expired reports.")
        purging.add_argument("--days", type=int, help="Instead of BUGREPORTS_RETENTION_DAYS; 0: nothing goes.")
        purging.add_argument("--dry-run", action="store_true")
        actions.add_parser("stats", help="Counts by status and priority, queues, the last purge.")
        _add_filters(actions.add_parser("export", help="All reports with their context, as one JSON array."))
        handlers = {
            "list": self._list, "show": self._show, "update": self._update, "delete": self._delete,
            "purge": self._purge, "stats": self._stats, "export": self._export,
        }  # fmt: skip
        for name, handler in handlers.items():
            actions.choices[name].set_defaults(func=handler)

    def handle(self, *args: Any, func: Callable[..., None], **options: Any) -> None:
        if options["root"]:
            self.stderr.write("--root is ignored: reports are rows of the database now")
        try:
            func(**options)
        except RegistryError as error:
            raise CommandError(error.message, returncode=_REJECTED) from error

    def _list(self, *, limit: int, as_json: bool, include_context: bool, **options: Any) -> None:
        if limit < 1:
            raise CommandError("--limit must be 1 or more", returncode=_USAGE)
        found = filter_reports(_filters(options))
        rows = [serialize_summary(row) for row in prefetch_summary(found)[:limit]]
        if self.stdout.isatty() and not as_json:
            self._table(rows)
            return
        if not include_context:
            rows = [{name: part for name, part in row.items() if name not in _CONTEXT} for row in rows]
        self._print({"total": found.order_by().count(), "reports": rows})

    def _table(self, rows: list[dict[str, Any]]) -> None:
        if not rows:
            self.stdout.write("No bug reports.")
        for row in rows:
            marks = ("Y" if row["has_recent_logs"] else "-", "Y" if row["has_network_events"] else "-")
            self.stdout.write(
                f"{row['report_id']:36} {row['status']:11} {row['priority'] or '-':8} {row['submitted_at']}"
                f" {row['submitted_by'] or '-':30} {row['trace_id'] or '-':36} {' '.join(marks)}"
            )

    def _show(self, *, report_id: str, **options: Any) -> None:
        self._print(serialize_detail(get_report(report_id, prefetch_detail(BugReport.objects.all()))))

    def _update(self, *, report_id: str, actor: str, **options: Any) -> None:
        get_report(report_id)
        data = _read_resolution(options["resolution"])
        changes = ReportChanges(
            status=options["status"],
            resolution_kind=data.get("kind"),
            notes=data.get("notes"),
            commit_sha=data.get("commit_sha"),
            duplicate_of=options["duplicate_of"],
            priority=_or_unset(options["priority"]),
            assignee=_or_unset(options["assignee"]),
        )
        by = Actor(actor, BugReportEvent.ActorType.USER if "@" in actor else BugReportEvent.ActorType.AGENT)
        update_report(report_id, changes, by=by, now=timezone.now())
        self._print(serialize_summary(get_report(report_id, prefetch_summary(BugReport.objects.all()))))

    def _delete(self, *, report_id: str, **options: Any) -> None:
        delete_reports([report_id], by=Actor("command"), now=timezone.now())
        self._print({"success": True, "report_id": report_id})

    def _purge(self, *, days: int | None, dry_run: bool, **options: Any) -> None:
        result = purge(days=days, is_dry_run=dry_run, requested_by="command", now=timezone.now())
        if result.expired:
            what = "would lose" if dry_run else "lost"
            self.stderr.write(f"{result.expired} open reports {what} their personal context and stay")
        self._print(result.document())

    def _stats(self, **options: Any) -> None:
        self._print(report_metrics(timezone.now()))

    def _export(self, **options: Any) -> None:
        for piece in export_reports(filter_reports(_filters(options))):
            self.stdout.write(piece, ending="")

    def _print(self, document: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(document, indent=2, ensure_ascii=not _is_utf8()))


def _add_filters(parser: ArgumentParser) -> None:
    parser.add_argument("--status", choices=STATUSES)
    parser.add_argument("--assignee", help='E-mail, or "none".')
    parser.add_argument("--priority", choices=[*PRIORITIES, "none"])


def _filters(options: dict[str, Any]) -> dict[str, str]:
    return {name: options.get(name) or "" for name in ("status", "assignee", "priority")}


def _or_unset(value: str | None) -> Any:
    if value is None:
        return UNSET
    return None if value == "none" else value


def _read_resolution(text: str | None) -> dict[str, str]:
    """Raises CommandError (wrong usage)."""
    if text is None:
        return {}
    try:
        data = json.loads(text)
    except ValueError as error:
        raise CommandError("--resolution must be JSON", returncode=_USAGE) from error
    if not isinstance(data, dict) or any(
        name not in _RESOLUTION or not isinstance(value, str) for name, value in data.items()
    ):
        raise CommandError(f"--resolution must be an object of texts named {', '.join(_RESOLUTION)}", returncode=_USAGE)
    if data.get("kind", "fixed") not in RESOLUTION_KINDS:
        raise CommandError(f"kind must be one of {', '.join(RESOLUTION_KINDS)}", returncode=_USAGE)
    return {_RESOLUTION[name]: value for name, value in data.items()}


def _is_utf8() -> bool:
    return (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "") == "utf8"
