"""Due reminders come in, mail goes out, and how that ended is published."""

import os
import re
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from .common import (
    SUCCESS,
    CloudEvent,
    Dapr,
    Delivery,
    DeliveryOutcome,
    ReminderDue,
    SidecarOnly,
    Snapshot,
    log,
    make_app,
    now,
)

STATE = "/v1.0/state/statestore"
WEEK = {"ttlInSeconds": str(7 * 24 * 60 * 60)}
MAIL_FROM = os.environ.get("MAIL_FROM", "nudge@example.com")
X_PRIORITY = {"urgent": "1", "high": "2", "medium": "3", "low": "4"}

dapr = Dapr("email-delivery")
app = make_app(dapr, "/email-delivery/health")


@app.post("/email-delivery/events/task-reminders", dependencies=[SidecarOnly])
async def reminder_due(event: CloudEvent[ReminderDue]) -> dict[str, str]:
    reminder = event.data
    reference = f"{reminder.reminder_id} {int(reminder.remind_at.timestamp())}"
    key = f"mail-{reference.replace(' ', '-')}"
    if not await mark(key):
        return SUCCESS
    try:
        question = f"/internal/reminders/{reminder.reminder_id}/delivery"
        answer = await dapr.invoke("GET", question, params={"remindAt": reminder.remind_at.isoformat()})
        delivery = Delivery.model_validate_json(answer.content)
        if delivery.decision == "skip":
            log.info("%s is not sent: %s", reference, delivery.reason)
            return SUCCESS
        failure = await deliver(reference, delivery)
    except Exception:
        # It comes again, and must not find the mark then.
        await dapr.call("DELETE", f"{STATE}/{key}")
        raise
    outcome = DeliveryOutcome(
        reminder_id=reminder.reminder_id,
        task_id=reminder.task.id,
        remind_at=reminder.remind_at,
        failure=failure,
        at=now(),
    )
    kind = "nudge.reminder.failed.v1" if failure else "nudge.reminder.sent.v1"
    id = f"{reminder.reminder_id}:{reminder.remind_at.isoformat()}:{kind}"
    await dapr.publish("reminder-outcomes", kind, id, reminder.task.id, outcome)
    return SUCCESS


async def mark(key: str) -> bool:
    """Notes that this mail is being sent; false if somebody has before."""
    entry: dict[str, Any] = {"key": key, "value": {"at": now().isoformat()}, "metadata": WEEK}
    entry["options"] = {"concurrency": "first-write"}
    response = await dapr.client.post(STATE, json=[entry])
    # What a first-write says of a key that is there depends on the store.
    lost = ("etag mismatch", "no item was updated", "failed to set key")
    if response.status_code == 409 or (response.is_error and any(words in response.text for words in lost)):
        return False
    response.raise_for_status()
    return True


async def deliver(reference: str, delivery: Delivery) -> str | None:
    """Sends the mail; says why if the mail server refuses it for good."""
    if delivery.email is None or delivery.task is None:
        return "there is no email address in your profile"
    task = delivery.task
    metadata = {
        "emailFrom": MAIL_FROM,
        "emailTo": delivery.email,
        "subject": f"Reminder: {task.title}",
        "priority": X_PRIORITY[task.priority],
    }
    body = {"operation": "create", "metadata": metadata, "data": html(reference, task, delivery.time_zone)}
    try:
        await dapr.call("POST", "/v1.0/bindings/smtp", json=body)
    except httpx.HTTPStatusError as error:
        if code := re.search(r": (5\d\d)\b", error.response.text):
            return f"the mail server refused it with {code[1]}"
        raise
    return None


def html(reference: str, task: Snapshot, time_zone: str) -> str:
    lines = [f"<h1>{escape(task.title)}</h1>"]
    if task.due:
        local = task.due.astimezone(ZoneInfo(time_zone))
        lines.append(f"<p>Due {local:%A, %-d %B %Y at %H:%M} ({escape(time_zone)})</p>")
        lines.append(f"<p><strong>{left(task.due)}</strong></p>")
    lines.append(f"<p>Priority: {task.priority}</p>")
    lines += [f"<p>{escape(line)}</p>" for line in (task.description or "")[:2000].splitlines() if line.strip()]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="nudge-reminder" content="{reference}"><title>{escape(task.title)}</title></head>'
        f"<body>{''.join(lines)}<p>You get this mail because you set a reminder.</p></body></html>"
    )


def left(due: datetime) -> str:
    minutes = round((due - now()).total_seconds() / 60)
    span = f"{abs(minutes) // 60} h {abs(minutes) % 60} min"
    return f"{span} left" if minutes >= 0 else f"Overdue by {span}"
