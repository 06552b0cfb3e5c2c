"""The application: routes and what happens at start and stop."""

<% if events %>
import base64
import binascii
import logging
<% endif %>
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
<% if events %>
from typing import Any
<% endif %>

from fastapi import FastAPI, HTTPException, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
<% if events %>
from pydantic import BaseModel
<% endif %>

<% if database %>
from app.database import Database
<% endif %>
from app.metrics import Observed
from app.settings import Settings

DESCRIPTION = <{ description | literal }>  # fmt: skip
<% if events %>
log = logging.getLogger(__name__)


class Message(BaseModel):
    """The part of a Pub/Sub push that we read. Its id is the same when Pub/Sub delivers it again."""

    messageId: str
    data: str = ""
    attributes: dict[str, str] = {}


class Push(BaseModel):
    message: Message
    subscription: str
<% endif %>


def create_app(settings: Settings) -> FastAPI:
<% if database %>
    database = Database(settings.database_url.get_secret_value())

<% endif %>
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.ready = True
        yield
        app.state.ready = False
<% if database %>
        database.close()
<% endif %>

    app = FastAPI(title="<{ name }>", description=DESCRIPTION, version=settings.version, lifespan=lifespan)
    app.add_middleware(Observed)

    @app.get("/healthz", tags=["platform"])
    async def healthz() -> dict[str, str]:
        """Liveness: the process answers. It asks nobody else, so that a failing database never restarts the service."""
        return {"status": "alive"}

    @app.get("/readyz", tags=["platform"])
    def readyz(response: Response) -> dict[str, str]:
        """Readiness: may requests come here now?"""
        if not getattr(app.state, "ready", False):
            response.status_code = 503
            return {"status": "stopping"}
<% if database %>
        if not database.answers():
            response.status_code = 503
            return {"status": "database does not answer"}
<% endif %>
        return {"status": "ready"}

    @app.get("/metrics", tags=["platform"])
    def metrics(request: Request) -> Response:
        # Prometheus asks inside the network. What came through a proxy came from outside, and sees no metrics.
        if "x-forwarded-for" in request.headers:
            raise HTTPException(404)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/api/v1/info")
    async def info() -> dict[str, str]:
        """Which version answers, and where: the first thing asked in an incident."""
        return {"service": "<{ name }>", "version": settings.version, "environment": settings.environment}
<% if events %>

    @app.post("/events", status_code=204)
    def events(push: Push) -> None:
        """Pub/Sub delivers here. 2xx acknowledges; anything else is delivered again, and after some tries put aside
        (dead-letter topic). A message can come twice: handle it so that the second time changes nothing."""
        try:
            data: Any = base64.b64decode(push.message.data, validate=True)
        except binascii.Error as error:
            raise HTTPException(400, "message.data is not base64") from error
        log.info("event", extra={"message_id": push.message.messageId, "bytes": len(data)})
<% endif %>

    return app
