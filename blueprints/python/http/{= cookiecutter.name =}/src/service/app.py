"""The HTTP interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field


class Note(BaseModel):
    """What the sample endpoint takes and gives back."""

    text: str = Field(max_length=1000)


def create(leaving: Callable[[], bool]) -> FastAPI:
    """The application; `leaving` tells whether the process has been asked to stop."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health")
    async def health() -> Mapping[str, str]:
        """Alive. It asks nobody else: a failure here restarts the container."""
        return {"status": "ok"}

    @app.get("/health/ready")
    async def ready(response: Response) -> Mapping[str, str]:
        """Whether requests should come here."""
        if leaving():
            response.status_code = 503
            return {"status": "leaving"}
        return {"status": "ready"}

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    # A sample: put the service's own endpoints in its place.
    @app.post("/v1/echo")
    async def echo(note: Note) -> Note:
        return note

    return app
