"""`/api/taxonomy/...` for readers: public, bare JSON, one version string everywhere, 304 where nothing changed."""

from collections.abc import Callable
from typing import Any

import orjson
from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.timestamps import format_timestamp
from taxonomy.api import representations
from taxonomy.api.serializers import ConvertSerializer
from taxonomy.errors import InvalidAddress
from taxonomy.models import TaxonomyVersion
from taxonomy.snapshot import NO_VERSION, TaxonomySnapshot, current_taxonomy
from taxonomy.sync import changes_between

_MAX_LABEL_CHARS = 40


class PublicView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)


class TaxonomyReadView(PublicView):
    """Answers what `body` makes of the current snapshot; the ETag is the taxonomy's own digest."""

    body: Callable[..., Any] | None = None

    def get(self, request: Request, **path: str) -> HttpResponse:
        directory = current_taxonomy()
        # The body first: a path that leads nowhere is a 404, whatever the client has seen elsewhere.
        body = self.make_body(directory, **path)
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        answer = HttpResponse(content, content_type="application/json")
        answer["ETag"] = f'"{directory.digest[:32]}-{directory.version}"'
        answer["Cache-Control"] = "public, max-age=0, must-revalidate"
        return get_conditional_response(request, etag=answer["ETag"], response=answer)

    def make_body(self, directory: TaxonomySnapshot, **path: str) -> Any:
        return self.body(directory)  # type: ignore[misc]


class LayerReadView(TaxonomyReadView):
    def make_body(self, directory: TaxonomySnapshot, **path: str) -> Any:
        return self.body(directory.get_layer(path["layer"]))  # type: ignore[misc]


class CategoryReadView(TaxonomyReadView):
    def make_body(self, directory: TaxonomySnapshot, **path: str) -> Any:
        return self.body(*directory.get_category(path["layer"], path["category"]))  # type: ignore[misc]


class HealthView(PublicView):
    def get(self, request: Request) -> Response:
        return Response(representations.health_body(current_taxonomy()), headers={"Cache-Control": "no-store"})


class ConvertView(PublicView):
    """Always 200: a failure is told in the body, since clients fall back to their own table on any other status."""

    source = "hfn"
    target = "mfa"

    def post(self, request: Request) -> Response:
        wish = ConvertSerializer(data=request.data, field=self.source)
        wish.is_valid(raise_exception=True)
        text = wish.validated_data[self.source]
        directory = current_taxonomy()
        try:
            result = (
                directory.hfn_to_mfa(text, with_numeric_layer=True)
                if self.source == "hfn"
                else directory.mfa_to_hfn(text)
            )
        except InvalidAddress as error:
            failure = {self.source: text, self.target: None, "success": False, "valid": False}
            return Response(failure | {"error": error.message})
        return Response({self.source: text, self.target: result, "success": True, "valid": True})


class ChangesView(PublicView):
    """What differs from a version the client names; everything counts as added when nobody knows that version."""

    def get(self, request: Request) -> Response:
        since = request.query_params.get("since", "").replace("\x00", "")[:_MAX_LABEL_CHARS]
        current = TaxonomyVersion.objects.current()
        base = TaxonomyVersion.objects.filter(label=since).first()
        changes = changes_between(base, current)
        return Response(
            {
                "version": current.label if current else NO_VERSION,
                "changes": changes,
                "metadata": {
                    "since": since,
                    "isKnown": base is not None,
                    "changeCount": len(changes),
                    "generatedAt": format_timestamp(timezone.now()),
                },
            }
        )


class SyncStatusView(PublicView):
    def get(self, request: Request) -> Response:
        health = representations.health_body(current_taxonomy())
        return Response(
            {
                "syncStatus": "synced" if health["status"] == "healthy" else "degraded",
                "lastSync": health["lastUpdated"],
                "cacheStatus": "ok",
                "healthCheck": health["status"],
                "version": health["version"],
            }
        )
