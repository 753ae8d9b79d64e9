"""Tasks in PostgreSQL."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from asyncpg import Connection, Record

from .common import Reminder, Snapshot

SCHEMA = """
CREATE SCHEMA IF NOT EXISTS seed;
CREATE TABLE IF NOT EXISTS seed.users (id text PRIMARY KEY, email text, time_zone text NOT NULL);
CREATE TABLE IF NOT EXISTS seed.tasks (
    id uuid PRIMARY KEY, user_id text NOT NULL, title text NOT NULL, description text, status text NOT NULL,
    priority text NOT NULL, due timestamptz, time_zone text NOT NULL, recurrence text, recurrence_from text NOT NULL,
    series_id uuid, series_start timestamptz, occurrence integer NOT NULL, version integer NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, completed_at timestamptz);
CREATE INDEX IF NOT EXISTS tasks_newest ON seed.tasks (user_id, created_at DESC, id DESC);
CREATE TABLE IF NOT EXISTS seed.reminders (
    id uuid PRIMARY KEY, task_id uuid NOT NULL REFERENCES seed.tasks ON DELETE CASCADE, minutes_before integer,
    at timestamptz, remind_at timestamptz NOT NULL, status text NOT NULL);
CREATE INDEX IF NOT EXISTS reminders_of_task ON seed.reminders (task_id);
CREATE TABLE IF NOT EXISTS seed.dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    arrived_at timestamptz NOT NULL DEFAULT now(), event text NOT NULL);
"""
COLUMNS = (
    "id user_id title description status priority due time_zone recurrence recurrence_from series_id series_start "
    "occurrence version created_at updated_at completed_at"
).split()
INSERT = (
    f"INSERT INTO seed.tasks ({', '.join(COLUMNS)}) VALUES ({', '.join(f'${n + 1}' for n in range(len(COLUMNS)))}) "
    "ON CONFLICT (id) DO NOTHING RETURNING id"
)
UPDATE = f"UPDATE seed.tasks SET {', '.join(f'{name} = ${n + 1}' for n, name in enumerate(COLUMNS) if n)} WHERE id = $1"
INSERT_REMINDER = (
    "INSERT INTO seed.reminders (id, task_id, minutes_before, at, remind_at, status) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT (id) DO UPDATE SET remind_at = excluded.remind_at, status = excluded.status"
)


async def remember(db: Connection, user_id: str, email: str | None, zone: str) -> None:
    """Notes where a user's mail goes; reads first, since it hardly ever changes."""
    known = await db.fetchrow("SELECT email, time_zone FROM seed.users WHERE id = $1", user_id)
    if known is None or tuple(known) != (email, zone):
        await db.execute(
            "INSERT INTO seed.users (id, email, time_zone) VALUES ($1, $2, $3) "
            "ON CONFLICT (id) DO UPDATE SET email = excluded.email, time_zone = excluded.time_zone",
            user_id, email, zone,
        )  # fmt: skip


async def insert(db: Connection, task: Snapshot) -> bool:
    """Stores a new task; false if there is one with its id."""
    if await db.fetchval(INSERT, *values(task)) is None:
        return False
    await save_reminders(db, task)
    return True


async def update(db: Connection, task: Snapshot) -> None:
    await db.execute(UPDATE, *values(task))
    await save_reminders(db, task)


async def save_reminders(db: Connection, task: Snapshot) -> None:
    if task.reminders:
        rows = [(r.id, task.id, r.minutes_before, r.at, r.remind_at, r.status) for r in task.reminders]
        await db.executemany(INSERT_REMINDER, rows)


async def find(db: Connection, where: str, *arguments: Any) -> list[Snapshot]:
    rows = await db.fetch(f"SELECT * FROM seed.tasks WHERE {where}", *arguments)
    ids = [row["id"] for row in rows]
    reminders: dict[UUID, list[Record]] = {}
    if rows:
        for row in await db.fetch("SELECT * FROM seed.reminders WHERE task_id = ANY($1) ORDER BY remind_at, id", ids):
            reminders.setdefault(row["task_id"], []).append(row)
    return [read(row, reminders.get(row["id"], [])) for row in rows]


def values(task: Snapshot) -> list[Any]:
    return [getattr(task, name) for name in COLUMNS]


def read(row: Record, reminders: list[Record]) -> Snapshot:
    """A task with its times as its owner reads them."""
    zone = ZoneInfo(row["time_zone"])

    def local(at: datetime | None) -> datetime | None:
        return at and at.astimezone(zone)

    fields = dict(row)
    fields |= {name: local(fields[name]) for name in ("due", "series_start")}
    fields["reminders"] = [
        Reminder(**(dict(one) | {"at": local(one["at"]), "remind_at": local(one["remind_at"])})) for one in reminders
    ]
    return Snapshot(**fields)
