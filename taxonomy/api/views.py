"""`/api/taxonomy/...` for readers: public, JSON without an envelope, 304 if the taxonomy is unchanged."""

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
from taxonomy.snapshot import NO_VERSION, TaxonomySnapshot
from taxonomy.snapshot_cache import current_taxonomy
from taxonomy.sync import changes_between

_MAX_LABEL_LENGTH = 40


class PublicView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)


class TaxonomyReadView(PublicView):
    """Returns `body(snapshot)`; the ETag is the digest of the taxonomy."""

    body: Callable[..., Any] | None = None

    def get(self, request: Request, **path: str) -> HttpResponse:
        taxonomy = current_taxonomy()
        # Before the ETag check, because an unknown path is 404 even if the client sends the current ETag.
        body = self.make_body(taxonomy, **path)
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        response = HttpResponse(content, content_type="application/json")
        response["ETag"] = f'"{taxonomy.digest[:32]}-{taxonomy.version}"'
        response["Cache-Control"] = "public, max-age=0, must-revalidate"
        return get_conditional_response(request, etag=response["ETag"], response=response)

    def make_body(self, taxonomy: TaxonomySnapshot, **path: str) -> Any:
        return self.body(taxonomy)  # type: ignore[misc]


class LayerReadView(TaxonomyReadView):
    def make_body(self, taxonomy: TaxonomySnapshot, **path: str) -> Any:
        return self.body(taxonomy.get_layer(path["layer"]))  # type: ignore[misc]


class CategoryReadView(TaxonomyReadView):
    def make_body(self, taxonomy: TaxonomySnapshot, **path: str) -> Any:
        return self.body(*taxonomy.get_category(path["layer"], path["category"]))  # type: ignore[misc]


class HealthView(PublicView):
    def get(self, request: Request) -> Response:
        return Response(representations.health_body(current_taxonomy()), headers={"Cache-Control": "no-store"})


class ConvertView(PublicView):
    """Responds 200 even to invalid addresses: on any other status clients use their own outdated table."""

    source = "hfn"
    target = "mfa"

    def post(self, request: Request) -> Response:
        serializer = ConvertSerializer(data=request.data, field=self.source)
        serializer.is_valid(raise_exception=True)
        text = serializer.validated_data[self.source]
        taxonomy = current_taxonomy()
        try:
            result = (
                taxonomy.hfn_to_mfa(text, with_numeric_layer=True)
                if self.source == "hfn"
                else taxonomy.mfa_to_hfn(text)
            )
        except InvalidAddress as error:
            failure = {self.source: text, self.target: None, "success": False, "valid": False}
            return Response(failure | {"error": error.message})
        return Response({self.source: text, self.target: result, "success": True, "valid": True})


class ChangesView(PublicView):
    """Changes since the version `since`; every node is an added one if that version is unknown."""

    def get(self, request: Request) -> Response:
        since = request.query_params.get("since", "").replace("\x00", "")[:_MAX_LABEL_LENGTH]
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
