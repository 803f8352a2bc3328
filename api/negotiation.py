"""Content negotiation that does not parse the usual `Accept` headers."""

from collections.abc import Sequence
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_JSON = "application/json"
# curl, most libraries; programs that name JSON; axios.
_ACCEPT_JSON = frozenset({"*/*", _JSON, f"{_JSON}, text/plain, */*"})


class ContentNegotiation(DefaultContentNegotiation):
    def select_renderer(
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, Any]:
        if request.META.get("HTTP_ACCEPT", "*/*") in _ACCEPT_JSON and renderers[0].media_type == _JSON:
            return renderers[0], _JSON
        return super().select_renderer(request, renderers, format_suffix)
