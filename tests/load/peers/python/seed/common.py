"""What the four services share: the sidecar's API, the events, and the frame of an app."""

import logging
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx
from asyncpg import PostgresError
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

log = logging.getLogger("seed")
T = TypeVar("T")

Priority = Literal["low", "medium", "high", "urgent"]
Change = Literal["created", "updated", "completed", "deleted"]
SUCCESS, RETRY, DROP = ({"status": word} for word in ("SUCCESS", "RETRY", "DROP"))


def now() -> datetime:
    return datetime.now(UTC)


# --- tasks and events ---


class Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Reminder(Model):
    id: UUID
    minutes_before: int | None = Field(None, exclude_if=lambda value: value is None)
    at: datetime | None = Field(None, exclude_if=lambda value: value is None)
    remind_at: datetime
    status: Literal["scheduled", "sent", "failed", "cancelled"] = "scheduled"


class Task(Model):
    id: UUID
    title: str
    description: str | None
    status: Literal["pending", "completed"]
    priority: Priority
    due: datetime | None
    time_zone: str
    category_id: UUID | None = None
    tag_ids: list[UUID] = []
    recurrence: str | None
    recurrence_from: Literal["due"] = "due"
    reminders: list[Reminder]
    series_id: UUID | None
    occurrence: int
    version: int
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None


class Snapshot(Task):
    """A task as events carry it."""

    user_id: str
    series_start: datetime | None


class TaskEvent(Model):
    schema_version: Literal[1] = 1
    change: Change
    changed: list[str] = []
    task: Snapshot


class ArmedReminder(Model):
    """The data of a reminder's job."""

    reminder_id: UUID
    remind_at: datetime
    task: Snapshot


class ReminderDue(ArmedReminder):
    schema_version: Literal[1] = 1
    minutes_left: int | None


class DeliveryOutcome(Model):
    schema_version: Literal[1] = 1
    reminder_id: UUID
    task_id: UUID
    remind_at: datetime
    failure: str | None = Field(None, exclude_if=lambda value: value is None)
    at: datetime


class Delivery(Model):
    """The api's last word on whether to send a reminder, and whereto."""

    decision: Literal["send", "skip", "noAddress"]
    reason: str | None = None
    email: str | None = None
    time_zone: str = "UTC"
    task: Snapshot | None = None


class Successor(Model):
    """The next occurrence of a series."""

    kind: Literal["next"] = "next"
    id: UUID
    due: datetime
    occurrence: int
    completed_at: datetime | None = None


class CloudEvent(BaseModel, Generic[T]):
    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    subject: str | None = None
    time: datetime = Field(default_factory=now)
    datacontenttype: str = "application/json"
    data: T


# --- the sidecar ---


class Dapr:
    """The HTTP API of the sidecar. Answers that are no success raise `httpx.HTTPStatusError`."""

    def __init__(self, app_id: str) -> None:
        self.app_id = app_id
        self.client = httpx.AsyncClient(
            base_url=os.environ.get("DAPR_HTTP_ENDPOINT", "http://127.0.0.1:3500"),
            headers={"dapr-api-token": os.environ.get("DAPR_API_TOKEN", "")},
            timeout=httpx.Timeout(60.0, connect=5.0),
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=100),
            trust_env=False,
        )

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        response = await self.client.request(method, path, **options)
        if response.is_error:
            log.warning("%s %s: %s %s", method, path, response.status_code, response.text[:500])
        return response.raise_for_status()

    async def publish(self, topic: str, kind: str, id: str, task_id: UUID, data: Model) -> None:
        event = CloudEvent(id=id, source=self.app_id, type=kind, subject=str(task_id), data=data)
        await self.call(
            "POST",
            f"/v1.0/publish/pubsub/{topic}",
            params={"metadata.partitionKey": str(task_id)},
            headers={"content-type": "application/cloudevents+json"},
            content=event.model_dump_json(by_alias=True),
        )

    async def invoke(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Calls a route of the api."""
        return await self.call(method, f"/v1.0/invoke/api/method{path}", **options)

    async def secret(self, name: str) -> str:
        values = (await self.call("GET", f"/v1.0/secrets/secretstore/{quote(name)}")).json()
        return values[name] if name in values else next(iter(values.values()))


# --- the app ---


async def sidecar_only(dapr_api_token: Annotated[str, Header()] = "") -> None:
    expected = os.environ.get("APP_API_TOKEN", "")
    if not expected or not secrets.compare_digest(dapr_api_token.encode(), expected.encode()):
        raise HTTPException(403, "only the sidecar calls this")


SidecarOnly = Depends(sidecar_only)


def problem(status: int, code: str, detail: str, **more: Any) -> JSONResponse:
    body = {"type": "about:blank", "status": status, "code": code, "detail": detail, **more}
    return JSONResponse(body, status, media_type="application/problem+json")


def is_event(request: Request) -> bool:
    return "/events/" in request.url.path


async def malformed(request: Request, error: RequestValidationError) -> Response:
    """What is no such event never will be one, so it is not delivered again."""
    if is_event(request):
        log.error("%s: dropped: %s", request.url.path, error)
        return JSONResponse(DROP)
    errors = [
        {"field": ".".join(map(str, item["loc"][1:])), "code": item["type"], "message": item["msg"]}
        for item in error.errors()
    ]
    return problem(400, "validation_error", "the request is not valid", errors=errors)


async def unavailable(request: Request, error: Exception) -> Response:
    log.warning("%s: %r", request.url.path, error)
    if is_event(request):
        return JSONResponse(RETRY)
    return problem(503, "unavailable", "something this depends on cannot be reached")


async def refused(_: Request, error: HTTPException) -> Response:
    response = problem(error.status_code, str(error.status_code), error.detail)
    response.headers.update(error.headers or {})
    return response


def make_app(
    dapr: Dapr,
    health: str | None = None,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
) -> FastAPI:
    @asynccontextmanager
    async def closing(app: FastAPI) -> AsyncIterator[None]:
        async with dapr.client:
            if lifespan is None:
                yield
            else:
                async with lifespan(app):
                    yield

    handlers: dict[Any, Callable[[Request, Any], Awaitable[Response]]] = {
        RequestValidationError: malformed,
        HTTPException: refused,
        httpx.HTTPError: unavailable,
        PostgresError: unavailable,
        OSError: unavailable,
    }
    app = FastAPI(title=dapr.app_id, lifespan=closing, exception_handlers=handlers)
    if health:

        @app.get(health)
        async def alive() -> dict[str, str]:
            return {"status": "ok"}

    return app
