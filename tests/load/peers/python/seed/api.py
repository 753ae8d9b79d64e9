"""The tasks of people, and what the other services ask about them."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4, uuid5
from zoneinfo import ZoneInfo, available_timezones

import asyncpg
import httpx
import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from . import store
from .common import (
    SUCCESS,
    Change,
    CloudEvent,
    Dapr,
    Delivery,
    DeliveryOutcome,
    Priority,
    Reminder,
    SidecarOnly,
    Snapshot,
    Successor,
    Task,
    TaskEvent,
    make_app,
    now,
)
from .recurrence import canonical, occurrences

dapr = Dapr("api")
ZONES = available_timezones()
pool: asyncpg.Pool
jwt_key: str | None = None


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    global pool
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=5, max_size=20) as pool:
        await pool.execute(store.SCHEMA)
        # Behind the start: a sidecar may wait for its app, as an app for its sidecar.
        reading = asyncio.create_task(read_key())
        yield
        reading.cancel()


async def read_key() -> None:
    global jwt_key
    while jwt_key is None:
        try:
            jwt_key = await dapr.secret("jwt-key")
        except httpx.HTTPError:
            await asyncio.sleep(0.5)


app = make_app(dapr, "/health/live", lifespan)


@app.get("/health/ready")
async def ready(response: Response) -> dict[str, str]:
    await pool.execute("SELECT 1")
    response.status_code = 200 if jwt_key else 503
    return {"status": "ok" if jwt_key else "waiting for the secret store"}


# --- who is calling ---


class User(BaseModel):
    id: str
    email: str | None
    zone: str


async def user(authorization: Annotated[str, Header()] = "") -> User:
    if jwt_key is None:
        raise HTTPException(503, "the secret store cannot be reached")
    scheme, _, token = authorization.partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise jwt.InvalidTokenError("there is no bearer token")
        claims = jwt.decode(
            token, jwt_key, ["HS256"], {"require": ["exp", "sub"]}, audience="nudge", issuer="nudge", leeway=60
        )
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, f"the token is refused: {error}", {"www-authenticate": "Bearer"}) from None
    zone = claims.get("zoneinfo", "UTC")
    if zone not in ZONES:
        raise HTTPException(401, "the token has a zoneinfo claim that is not an IANA time zone", {"www-authenticate": "Bearer"})
    verified = claims.get("email_verified") in (None, True, "true")
    return User(id=claims["sub"], email=claims.get("email") if verified else None, zone=zone)


Caller = Annotated[User, Depends(user)]


# --- what they send ---


Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$"),
]
Description = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$")]


def known_zone(name: str) -> str:
    if name not in ZONES:
        raise ValueError("give the name of an IANA time zone")
    return name


class Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class ReminderBody(Body):
    minutes_before: int | None = Field(None, ge=0, le=4 * 7 * 24 * 60)
    at: str | None = None


class TaskPatch(Body):
    title: Title = ""
    due: str | None = None


class TaskBody(Body):
    title: Title
    description: Description | None = None
    priority: Priority = "medium"
    due: str | None = None
    time_zone: Annotated[str, AfterValidator(known_zone)] | None = None
    recurrence: Annotated[str, AfterValidator(canonical)] | None = None
    reminders: list[ReminderBody] = Field([], max_length=5)


def invalid(field: str, code: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", field), "type": code, "msg": message}])


def instant(field: str, text: str, zone: ZoneInfo) -> datetime:
    """RFC 3339, a local time, or a day, which is its end. In the zone, to the second."""
    try:
        at = datetime.fromisoformat(text.strip())
        if len(text.strip()) == 10:
            at = datetime.combine(at, time(23, 59, 59))
        at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(zone).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise invalid(field, "invalid_due", "give an RFC 3339 time, a local time, or a day") from None
    if not 1970 <= at.year <= 2199:
        raise invalid(field, "invalid_due", "the year must be from 1970 to 2199")
    return at


def reminder(id: UUID, due: datetime, minutes: int) -> Reminder:
    """Fires at once if its time is past and the due date ahead, and never if both are past."""
    status = "scheduled" if due > now() else "cancelled"
    return Reminder(id=id, minutes_before=minutes, remind_at=due - timedelta(minutes=minutes), status=status)


def reminders(bodies: list[ReminderBody], due: datetime | None, zone: ZoneInfo) -> list[Reminder]:
    made: list[Reminder] = []
    for body in bodies:
        if (body.minutes_before is None) == (body.at is None):
            raise invalid("reminders", "invalid_reminder", "give minutesBefore or at")
        if body.at is not None:
            at = instant("reminders", body.at, zone)
            if at < now():
                raise invalid("reminders", "invalid_reminder", "the time is past")
            made.append(Reminder(id=uuid4(), at=at, remind_at=at))
        elif due is None or body.minutes_before is None:
            raise invalid("reminders", "invalid_reminder", "a reminder before the due date needs one")
        else:
            made.append(reminder(uuid4(), due, body.minutes_before))
    if len({(one.minutes_before, one.at) for one in made}) < len(made):
        raise invalid("reminders", "duplicate_reminder", "the list has a reminder twice")
    return made


# --- what they can do ---


async def announce(change: Change, task: Snapshot, before: Snapshot | None = None) -> None:
    names = Task.model_fields.keys() - {"version", "updated_at"}
    changed = sorted(to_camel(name) for name in names if before and getattr(before, name) != getattr(task, name))
    event = TaskEvent(change=change, changed=changed, task=task)
    topics = ["task-events"]
    if change == "completed" and task.recurrence:
        topics.append("task-recurrence")
    kind, id = f"nudge.task.{change}.v1", f"{task.id}:{task.version}"
    await asyncio.gather(*(dapr.publish(topic, kind, id, task.id, event) for topic in topics))


def tagged(response: Response, task: Snapshot) -> Snapshot:
    response.headers["etag"] = f'"{task.version}"'
    return task


@app.post("/api/v1/tasks", status_code=201, response_model=Task)
async def create(caller: Caller, body: TaskBody, response: Response) -> Snapshot:
    zone = ZoneInfo(body.time_zone or caller.zone)
    due = instant("due", body.due, zone) if body.due else None
    if body.recurrence and (due is None or next(occurrences(body.recurrence, due), None) is None):
        raise invalid("recurrence", "invalid_recurrence", "the rule needs a due date, and a date from there on")
    created = now()
    task = Snapshot(
        id=uuid4(),
        user_id=caller.id,
        **body.model_dump(include={"title", "description", "priority", "recurrence"}),
        status="pending",
        due=due,
        time_zone=zone.key,
        reminders=reminders(body.reminders, due, zone),
        series_id=uuid4() if body.recurrence else None,
        series_start=due if body.recurrence else None,
        occurrence=1,
        version=1,
        created_at=created,
        updated_at=created,
        completed_at=None,
    )
    async with pool.acquire() as db, db.transaction():
        await store.remember(db, caller.id, caller.email, caller.zone)
        await store.insert(db, task)
    await announce("created", task)
    response.headers["location"] = f"/api/v1/tasks/{task.id}"
    return tagged(response, task)


async def own(db: asyncpg.Connection, caller: User, id: UUID, lock: str = "") -> Snapshot:
    found = await store.find(db, f"id = $1 AND user_id = $2{lock}", id, caller.id)
    if not found:
        raise HTTPException(404, "there is no such task")
    return found[0]


async def own_to_change(db: asyncpg.Connection, caller: User, id: UUID, if_match: str) -> Snapshot:
    task = await own(db, caller, id, " FOR UPDATE")
    if if_match not in ("*", f'"{task.version}"'):
        raise HTTPException(412, f"the task is at version {task.version}: read it again and repeat the change")
    return task


def next_version(task: Snapshot, **fields: Any) -> Snapshot:
    return task.model_copy(update={"version": task.version + 1, "updated_at": now(), **fields})


def cancelled(task: Snapshot) -> list[Reminder]:
    return [r.model_copy(update={"status": "cancelled"}) if r.status == "scheduled" else r for r in task.reminders]


@app.get("/api/v1/tasks/{id}", response_model=Task)
async def show(caller: Caller, id: UUID, response: Response) -> Snapshot:
    async with pool.acquire() as db:
        return tagged(response, await own(db, caller, id))


class Page(BaseModel):
    items: list[Task]
    nextCursor: None = None


@app.get("/api/v1/tasks", response_model=Page)
async def list_newest(caller: Caller, limit: Annotated[int, Query(ge=1, le=100)] = 50) -> dict[str, Any]:
    async with pool.acquire() as db:
        where = "user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2"
        return {"items": await store.find(db, where, caller.id, limit)}


IfMatch = Annotated[str, Header()]


@app.post("/api/v1/tasks/{id}/complete", response_model=Task)
async def complete(caller: Caller, id: UUID, response: Response, if_match: IfMatch = "*") -> Snapshot:
    async with pool.acquire() as db, db.transaction():
        before = await own_to_change(db, caller, id, if_match)
        if before.status == "completed":
            return tagged(response, before)
        task = next_version(before, status="completed", completed_at=now(), reminders=cancelled(before))
        await store.update(db, task)
    await announce("completed", task, before)
    return tagged(response, task)


@app.patch("/api/v1/tasks/{id}", response_model=Task)
async def patch(caller: Caller, id: UUID, body: TaskPatch, response: Response, if_match: IfMatch = "*") -> Snapshot:
    fields = body.model_dump(exclude_unset=True)
    async with pool.acquire() as db, db.transaction():
        before = await own_to_change(db, caller, id, if_match)
        zone = ZoneInfo(before.time_zone)
        if "due" in fields:
            fields["due"] = due = instant("due", body.due, zone) if body.due else None
            if due is None and before.recurrence:
                raise invalid("due", "recurrence_without_due", "a recurring task needs a due date")
            if due != before.due:
                moved = before.model_copy(update={"reminders": [moved_to(due, one) for one in before.reminders]})
                fields["reminders"] = cancelled(moved) if before.status == "completed" else moved.reminders
        if all(getattr(before, name) == value for name, value in fields.items()):
            return tagged(response, before)
        task = next_version(before, **fields)
        await store.update(db, task)
    await announce("updated", task, before)
    return tagged(response, task)


def moved_to(due: datetime | None, one: Reminder) -> Reminder:
    if one.minutes_before is None:
        return one
    return reminder(one.id, due, one.minutes_before) if due else one.model_copy(update={"status": "cancelled"})


@app.delete("/api/v1/tasks/{id}", status_code=204)
async def delete(caller: Caller, id: UUID, if_match: IfMatch = "*") -> None:
    async with pool.acquire() as db, db.transaction():
        before = await own_to_change(db, caller, id, if_match)
        await db.execute("DELETE FROM seed.tasks WHERE id = $1", id)
    await announce("deleted", next_version(before, reminders=cancelled(before)), before)


# --- what only the sidecar may call ---


@app.get("/internal/reminders/{id}/delivery", dependencies=[SidecarOnly])
async def reminder_delivery(id: UUID, remind_at: Annotated[datetime, Query(alias="remindAt")]) -> Delivery:
    async with pool.acquire() as db:
        found = await store.find(db, "id = (SELECT task_id FROM seed.reminders WHERE id = $1)", id)
        if not found:
            return Delivery(decision="skip", reason="the reminder or its task is gone")
        task = found[0]
        armed = next(one for one in task.reminders if one.id == id)
        if armed.status != "scheduled" or armed.remind_at != remind_at:
            return Delivery(decision="skip", reason="the reminder was cancelled or moved, or is sent")
        contact = await db.fetchrow("SELECT email, time_zone FROM seed.users WHERE id = $1", task.user_id)
    if contact is None or contact["email"] is None:
        return Delivery(decision="noAddress")
    return Delivery(decision="send", email=contact["email"], time_zone=contact["time_zone"], task=task)


@app.post("/internal/tasks/{id}/successor", status_code=204, dependencies=[SidecarOnly])
async def successor(id: UUID, body: Successor) -> None:
    async with pool.acquire() as db, db.transaction():
        found = await store.find(db, "id = $1 FOR UPDATE", id)
        if not found:
            raise HTTPException(404, "there is no such task")
        before, created = found[0], now()
        due = body.due.astimezone(ZoneInfo(before.time_zone))
        again = [
            reminder(uuid5(body.id, f"reminder:{one.minutes_before}"), due, one.minutes_before)
            for one in before.reminders
            if one.minutes_before is not None
        ]
        fields = {"id": body.id, "due": due, "occurrence": body.occurrence, "reminders": again, "status": "pending"}
        times = {"created_at": created, "updated_at": created, "completed_at": None}
        task = before.model_copy(update={**fields, **times, "version": 1})
        # It may have come before: its id follows from the series and the instant.
        is_new = await store.insert(db, task)
    if is_new:
        await announce("created", task)


@app.post("/internal/events/reminder-outcomes", dependencies=[SidecarOnly])
async def reminder_ended(event: CloudEvent[DeliveryOutcome]) -> dict[str, str]:
    outcome = event.data
    async with pool.acquire() as db, db.transaction():
        found = await store.find(db, "id = $1 FOR UPDATE", outcome.task_id)
        if not found:
            return SUCCESS
        before = found[0]
        status = "failed" if outcome.failure else "sent"
        ended = [
            one.model_copy(update={"status": status})
            if one.id == outcome.reminder_id and one.remind_at == outcome.remind_at and one.status == "scheduled"
            else one
            for one in before.reminders
        ]
        if ended == before.reminders:
            return SUCCESS
        task = next_version(before, reminders=ended)
        await store.update(db, task)
    await announce("updated", task, before)
    return SUCCESS


@app.post("/internal/events/dead-letters", dependencies=[SidecarOnly])
async def dead_letter(request: Request) -> dict[str, str]:
    event = (await request.body()).decode(errors="replace")
    await pool.execute("INSERT INTO seed.dead_letters (event) VALUES ($1)", event)
    return SUCCESS
