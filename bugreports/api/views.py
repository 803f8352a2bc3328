"""Endpoints of `/api/bug-reports`: submit, list, read, update, delete, purge."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import parse_http_date_safe
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from api.pagination import PageParams
from api.parsers import JsonParser
from bugreports.api.exception_handler import handle_report_exception
from bugreports.api.permissions import (
    CanPurgeReports,
    CanSubmitReports,
    CanTriageReports,
    CanViewReports,
    IntakeThrottle,
)
from bugreports.api.serializers import PurgeSerializer, UpdateReportSerializer
from bugreports.audit_log import Actor
from bugreports.deletion import delete_reports
from bugreports.errors import MissingPayload
from bugreports.filters import filter_reports, get_report, parse_page_params
from bugreports.intake import submit_report
from bugreports.models import BugReport
from bugreports.purge import purge
from bugreports.screenshots import private_headers, read_screenshot
from bugreports.serialization import (
    prefetch_detail,
    prefetch_summary,
    serialize_detail,
    serialize_event,
    serialize_summary,
)
from bugreports.updates import update_report
from common.errors import InvalidInput
from common.request_context import trace_id
from common.text_validation import clean_text


class ReportParser(JsonParser):
    max_bytes_setting = "BUGREPORTS_MAX_REPORT_BYTES"


class ReportView(APIView):
    """Check the permission in `permission_by_method`; methods without one need CanViewReports."""

    permission_by_method: dict[str, type[BasePermission]] = {}

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return handle_report_exception

    def get_permissions(self) -> list[BasePermission]:
        return [self.permission_by_method.get(self.request.method or "", CanViewReports)()]


class ReportListView(ReportView):
    parser_classes = (ReportParser,)
    permission_by_method = {"POST": CanSubmitReports}
    is_intake = True

    def get_throttles(self) -> list[BaseThrottle]:
        return [IntakeThrottle()] if self.request.method == "POST" else []

    def post(self, request: Request) -> Response:
        has_body = request.headers.get("Content-Length") not in (None, "", "0")
        document = request.data if has_body else None
        if document is None:
            raise MissingPayload("Request body is required")
        key = clean_text(request.headers.get("Idempotency-Key", ""), field="Idempotency-Key", max_length=200)
        receipt = submit_report(
            document, submitted_by=request.user.email, trace_id=trace_id.get(), idempotency_key=key or None,
            now=timezone.now(),
        )  # fmt: skip
        return Response(
            {
                "success": True,
                "report_id": receipt.report_id,
                "trace_id": receipt.trace_id,
                "stored_at": receipt.stored_at,
            },
            status=201,
        )

    def get(self, request: Request) -> Response:
        page = parse_page_params(request.query_params)
        found = filter_reports(request.query_params)
        total = found.order_by().count()
        rows = prefetch_summary(found)[page.offset : page.offset + page.limit] if page.offset < total else ()
        pagination = {
            "page": page.page,
            "per_page": page.limit,
            "total": total,
            "pages": max(page.total_pages(total), 1),
        }
        return Response({"reports": [serialize_summary(row) for row in rows], "pagination": pagination})


class ReportDetailView(ReportView):
    permission_by_method = {"PATCH": CanTriageReports, "DELETE": CanPurgeReports}

    def get(self, request: Request, report_id: str) -> Response:
        report = get_report(report_id, prefetch_detail(BugReport.objects.all()))
        return Response({"report": serialize_detail(report)}, headers={"ETag": f'"{report.version}"'})

    def patch(self, request: Request, report_id: str) -> Response:
        serializer = UpdateReportSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        get_report(report_id)
        version = serializer.validated_data.get("version")
        update_report(
            report_id,
            serializer.changes(),
            by=Actor(request.user.email),
            now=timezone.now(),
            version=_matched_version(request) if version is None else version,
            unmodified_since=_unmodified_since(request),
        )
        report = get_report(report_id, prefetch_summary(BugReport.objects.all()))
        return Response({"report": serialize_summary(report)}, headers={"ETag": f'"{report.version}"'})

    def delete(self, request: Request, report_id: str) -> Response:
        get_report(report_id)
        delete_reports([report_id], by=Actor(request.user.email), now=timezone.now())
        return Response({"success": True})


def _matched_version(request: Request) -> int | None:
    header = request.headers.get("If-Match", "").strip().strip('"')
    if header in ("", "*"):
        return None
    if not (header.isascii() and header.isdigit() and len(header) < 10):
        raise InvalidInput("If-Match must be the ETag of the report", field="If-Match")
    return int(header)


def _unmodified_since(request: Request) -> datetime | None:
    """Parse an HTTP date, extended to the end of its second, or a timestamp as in responses."""
    header = request.headers.get("If-Unmodified-Since", "").strip()
    seconds = parse_http_date_safe(header) if header else None
    if seconds is not None:
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=999_999)
    try:
        timestamp = parse_datetime(header) if header else None
    except ValueError:
        timestamp = None
    # Responses show milliseconds but rows store microseconds.
    return (
        timestamp.replace(microsecond=timestamp.microsecond // 1000 * 1000 + 999)
        if timestamp and timestamp.tzinfo
        else None
    )


class ReportPurgeView(ReportView):
    permission_by_method = {"POST": CanPurgeReports}

    def post(self, request: Request) -> Response:
        serializer = PurgeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        result = purge(
            days=serializer.validated_data.get("older_than_days"),
            is_dry_run=serializer.validated_data["dry_run"], requested_by=request.user.email, now=timezone.now(),
        )  # fmt: skip
        return Response(result.document())


class ReportEventsView(ReportView):
    def get(self, request: Request, report_id: str) -> Response:
        report = get_report(report_id)
        page, events = parse_page_params(request.query_params), report.events.order_by("pk")
        total = events.count()
        pagination = {
            "page": page.page,
            "per_page": page.limit,
            "total": total,
            "pages": max(page.total_pages(total), 1),
        }
        rows = events[page.offset : page.offset + page.limit]
        return Response({"events": [serialize_event(event) for event in rows], "pagination": pagination})


class ReportScreenshotView(ReportView):
    def get(self, request: Request, report_id: str) -> HttpResponse:
        report = get_report(report_id)
        content, content_type = read_screenshot(report)
        return HttpResponse(content, content_type=content_type, headers=private_headers(report))


def _pagination(page: PageParams, total: int) -> dict[str, int]:
    pages = max(page.total_pages(total), 1)
    return {"page": page.page, "per_page": page.limit, "total": total, "pages": pages}
