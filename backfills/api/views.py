"""How backfills go, for programs that watch them. Bare JSON; nothing is started or stopped from here."""

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.pagination import parse_page_params
from api.permissions import IsAdminRole
from backfills.models import BackfillRun
from backfills.progress import events_after, run_progress, runs_progress
from common.errors import InvalidInput, NotFound


class RunListView(APIView):
    """The newest first: {runs, total, page, limit}; `?rule=` narrows it."""

    permission_classes = (IsAdminRole,)

    def get(self, request: Request) -> Response:
        wish = parse_page_params(request.query_params)
        runs = BackfillRun.objects.all()
        if rule_name := request.query_params.get("rule"):
            runs = runs.for_rule(rule_name)
        now = timezone.now()
        page = runs_progress(list(runs[wish.offset : wish.offset + wish.limit]), now)
        return Response({"runs": page, "total": runs.count(), "page": wish.page, "limit": wish.limit})


class RunView(APIView):
    permission_classes = (IsAdminRole,)

    def get(self, request: Request, pk: int) -> Response:
        return Response(run_progress(_find(pk), timezone.now()))


class RunEventsView(APIView):
    """{events, next}: what happened since the event `?after=`; ask again with `next`."""

    permission_classes = (IsAdminRole,)

    def get(self, request: Request, pk: int) -> Response:
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 19):
            raise InvalidInput("after must be the number of an event", field="after")
        events = events_after(_find(pk), int(after))
        return Response({"events": events, "next": events[-1]["id"] if events else int(after)})


def _find(pk: int) -> BackfillRun:
    run = BackfillRun.objects.filter(pk=pk).first()
    if run is None:
        raise NotFound(f"There is no backfill run {pk}")
    return run
