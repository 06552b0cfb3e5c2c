"""What Prometheus reads, and the access log: both from one look at each request."""

import logging
from time import perf_counter
from typing import Any

from prometheus_client import Counter, Histogram

log = logging.getLogger("access")

# Probes and scrapes are neither counted nor logged: they would dilute the error rate that objectives are measured by.
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
# <{ slo_latency_ms }> ms is the bound of the latency objective, so it must be a bucket: slo/openslo.yaml counts what is below it.
BUCKETS = tuple(sorted({0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, <{ slo_latency_ms }> / 1000}))

REQUESTS = Counter("http_requests_total", "Requests answered.", ["method", "route", "code"])
DURATION = Histogram("http_request_duration_seconds", "Time to the end.", ["method", "route"], buckets=BUCKETS)


def trace_id(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The trace of a W3C `traceparent` header, so that a log line is found from its trace."""
    for key, value in headers:
        if key == b"traceparent":
            parts = value.decode("latin-1").split("-")
            return parts[1] if len(parts) == 4 and len(parts[1]) == 32 else None
    return None


class Observed:
    """ASGI middleware. Its label is a route (`/items/{id}`), never the path: paths are endless, series are not."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] in QUIET:
            await self.app(scope, receive, send)
            return
        started, code = perf_counter(), 500

        async def remember(message: Any) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, remember)
        finally:
            took = perf_counter() - started
            route = getattr(scope.get("route"), "path", "unmatched")
            REQUESTS.labels(scope["method"], route, str(code)).inc()
            DURATION.labels(scope["method"], route).observe(took)
            fields = {"method": scope["method"], "route": route, "code": code, "ms": round(took * 1000, 1)}
            log.info("request", extra=fields | {"trace_id": trace_id(scope["headers"])})
