"""Progress of backfills for monitoring clients. Bare JSON, read only."""

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.pagination import parse_page_params
from api.permissions import IsAdminRole
from backfills.models import BackfillRun
from backfills.progress import run_progress, runs_progress
from common.errors import InvalidInput, NotFound
from jobs.progress import events_after


class RunListView(APIView):
    """The newest runs first: {runs, total, page, limit}. `?rule=` filters by rule."""

    permission_classes = (IsAdminRole,)

    def get(self, request: Request) -> Response:
        params = parse_page_params(request.query_params)
        runs = BackfillRun.objects.all()
        if rule_name := request.query_params.get("rule"):
            runs = runs.for_rule(rule_name)
        page = runs_progress(list(runs[params.offset : params.offset + params.limit]), timezone.now())
        return Response({"runs": page, "total": runs.count(), "page": params.page, "limit": params.limit})


class RunView(APIView):
    permission_classes = (IsAdminRole,)

    def get(self, request: Request, pk: int) -> Response:
        return Response(run_progress(_get_run(pk), timezone.now()))


class RunEventsView(APIView):
    """Events after the event `?after=`: {events, next}. Pass `next` as `after` of the next request."""

    permission_classes = (IsAdminRole,)

    def get(self, request: Request, pk: int) -> Response:
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 19):
            raise InvalidInput("after must be the id of an event", field="after")
        events = events_after(_get_run(pk), int(after))
        return Response({"events": events, "next": events[-1]["id"] if events else int(after)})


def _get_run(pk: int) -> BackfillRun:
    run = BackfillRun.objects.filter(pk=pk).first()
    if run is None:
        raise NotFound(f"There is no backfill run {pk}")
    return run
