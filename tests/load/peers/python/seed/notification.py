"""Tasks come in and become jobs; jobs that are due become reminders."""

import asyncio

from fastapi import Response
from starlette.requests import Request

from .common import (
    SUCCESS,
    ArmedReminder,
    CloudEvent,
    Dapr,
    Reminder,
    ReminderDue,
    SidecarOnly,
    TaskEvent,
    make_app,
    now,
)

dapr = Dapr("notification")
app = make_app(dapr, "/notification/health")


def job(reminder: Reminder) -> str:
    return f"/v1.0-alpha1/jobs/reminder-{reminder.id}"


async def schedule(reminder: Reminder, event: TaskEvent) -> None:
    armed = ArmedReminder(reminder_id=reminder.id, remind_at=reminder.remind_at, task=event.task)
    body = {
        # An instant that is past fires at once.
        "dueTime": reminder.remind_at.isoformat(),
        "data": armed.model_dump(mode="json", by_alias=True),
        "overwrite": True,
        "failurePolicy": {"constant": {"interval": "5s", "maxRetries": 60}},
    }
    await dapr.call("POST", job(reminder), json=body)


@app.post("/notification/events/task-events", dependencies=[SidecarOnly])
async def task_changed(event: CloudEvent[TaskEvent]) -> dict[str, str]:
    change = event.data
    calls = []
    for reminder in change.task.reminders:
        if reminder.status == "scheduled":
            calls.append(schedule(reminder, change))
        elif reminder.status == "cancelled" and change.change != "created":
            calls.append(dapr.call("DELETE", job(reminder)))
    await asyncio.gather(*calls)
    return SUCCESS


@app.post("/job/{name}", dependencies=[SidecarOnly])
async def job_due(name: str, request: Request) -> Response:
    armed = ArmedReminder.model_validate_json(await request.body())
    due = armed.task.due
    event = ReminderDue(
        reminder_id=armed.reminder_id,
        remind_at=armed.remind_at,
        task=armed.task,
        minutes_left=int((due - now()).total_seconds() // 60) if due else None,
    )
    id = f"{armed.reminder_id}:{armed.remind_at.isoformat()}"
    await dapr.publish("task-reminders", "nudge.reminder.due.v1", id, armed.task.id, event)
    return Response()
