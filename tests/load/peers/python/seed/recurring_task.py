"""Completed tasks that recur come in; the api is asked to create what comes next."""

from datetime import UTC
from uuid import uuid5
from zoneinfo import ZoneInfo

import httpx

from .common import DROP, SUCCESS, CloudEvent, Dapr, SidecarOnly, Snapshot, Successor, TaskEvent, log, make_app
from .recurrence import occurrences

dapr = Dapr("recurring-task")
app = make_app(dapr, "/recurring-task/health")


@app.post("/recurring-task/events/task-recurrence", dependencies=[SidecarOnly])
async def task_completed(event: CloudEvent[TaskEvent]) -> dict[str, str]:
    task = event.data.task
    if event.data.change != "completed" or not (task.recurrence and task.due and task.series_id and task.completed_at):
        log.error("%s is no completed task that recurs", event.id)
        return DROP
    successor = next_occurrence(task)
    if successor is None:
        log.info("the series of %s is over", task.id)
        return SUCCESS
    try:
        await dapr.invoke(
            "POST",
            f"/internal/tasks/{task.id}/successor",
            content=successor.model_dump_json(by_alias=True),
            headers={"content-type": "application/json"},
        )
    except httpx.HTTPStatusError as error:
        if error.response.status_code in (404, 410):
            return SUCCESS
        if error.response.is_client_error:
            return DROP
        raise
    return SUCCESS


def next_occurrence(task: Snapshot) -> Successor | None:
    """The first occurrence with a higher number that is after both the due date and the completion."""
    assert task.recurrence and task.due and task.series_id and task.completed_at
    zone = ZoneInfo(task.time_zone)
    after = max(task.due, task.completed_at)
    start = (task.series_start or task.due).astimezone(zone)
    # The first due date is an occurrence, whether the rule names it or not.
    rest = enumerate((at for at in occurrences(task.recurrence, start) if at > start), 2)
    for number, due in rest:
        if number > task.occurrence and due > after:
            # The same series and instant are the same task, however often the event comes.
            id = uuid5(task.series_id, due.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
            return Successor(id=id, due=due, occurrence=number, completed_at=task.completed_at)
    return None
