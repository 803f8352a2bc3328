"""Counts how long reads of the API take; a backfill holds back where they take longer than before it."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from common.response_times import record


class TimeReads:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "GET" or not request.path.startswith("/api/assets"):
            return self.get_response(request)
        started = time.perf_counter()
        response = self.get_response(request)
        record((time.perf_counter() - started) * 1000)
        return response
