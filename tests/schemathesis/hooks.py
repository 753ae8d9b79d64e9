"""What schemathesis cannot read from docs/openapi.json: strings with a grammar of their own, and rules about existing data."""

import os
import re
import uuid
from urllib.parse import parse_qsl, urlsplit

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData

# --- texts -----------------------------------------------------------------------------------------------------------

dates = st.builds("{:04}-{:02}-{:02}".format, st.integers(2100, 2190), st.integers(1, 12), st.integers(1, 28))
times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
instants = st.one_of(
    dates,
    st.builds("{}T{}".format, dates, times),
    st.builds("{}T{}:00{}".format, dates, times, st.sampled_from(["Z", "+02:00", "-05:30"])),
)
phrases = st.sampled_from(["tomorrow", "tomorrow 9am", "in 3 hours", "next friday", "in 2 weeks"])

schemathesis.openapi.format("due", st.one_of(instants, phrases))
schemathesis.openapi.format("due-ahead", instants)
schemathesis.openapi.format(
    "recurrence",
    st.one_of(
        st.sampled_from(["daily", "weekdays", "every 2 weeks on monday", "every month on the 15th", "every january 1"]),
        st.builds(
            "FREQ={};INTERVAL={};COUNT={}".format,
            st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
            st.integers(1, 1000),
            st.integers(1, 10_000),
        ),
        st.sampled_from(["FREQ=MONTHLY;BYDAY=-1FR", "FREQ=WEEKLY;BYDAY=MO,WE;WKST=SU", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"]),
    ),
)
schemathesis.openapi.format(
    "time-zone", st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"])
)
schemathesis.openapi.format("duration-signed", st.sampled_from(["P1D", "PT3H", "-P1W", "P1M", "-PT30M", "P1Y2M3DT4H"]))
words = st.sampled_from(["rent", "pay rent", "Überweisung", "東京", "a b c", "42", "c++", "o'neil"])
schemathesis.openapi.format("words", words)
one_line = st.text(st.characters(exclude_categories=["C", "Z", "M"], exclude_characters="\u2800\u115f\u1160\u3164\uffa0\U0001d159\U00013441\U00013442"), min_size=1, max_size=30)
schemathesis.openapi.format("one-line", one_line)
schemathesis.openapi.format("quick-add", st.sampled_from(["Pay rent tomorrow 9am !high", "Call mom at 5", "Standup every weekday #team"]))
# An empty one counts as absent; real ones come from the links.
schemathesis.openapi.format("cursor", st.just(""))
schemathesis.openapi.format("mail-address", st.sampled_from(["alice@example.com", "a.b+c@mail.example.org"]))


# --- things that are there -------------------------------------------------------------------------------------------

CATEGORY, TAG = os.environ["CATEGORY"], os.environ["TAG"]


@schemathesis.hook
def before_call(context, case, kwargs):
    """Changes requests that a schema allows and the api rightly refuses."""
    possible(case.body)
    if isinstance(case.body, dict) and isinstance(case.body.get("operations"), list):
        for operation in case.body["operations"]:
            if isinstance(operation, dict):
                possible(operation.get("task"))
                possible(operation.get("patch"))
    # A null of a response that is copied to a query would be sent as the string `None`.
    query = case.query or {}
    for name in [name for name, value in query.items() if value is None]:
        del query[name]
    ids = case.path_parameters or {}
    if is_id(ids.get("tagId")):
        ids["tagId"] = TAG
    if case.method == "DELETE" and ids.get("id") in (CATEGORY, TAG):
        ids["id"] = str(uuid.uuid4())
    headers = case.headers if case.headers is not None else {}
    key = headers.get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch("[!-~]{1,255}", key):
        # A key of an earlier request keeps its length.
        headers["Idempotency-Key"] = uuid.uuid4().hex + key[32:]


def possible(task):
    """Replaces the labels of a task by existing ones, and adds a due date if it has reminders."""
    if isinstance(task, dict):
        if is_id(task.get("categoryId")):
            task["categoryId"] = CATEGORY
        if isinstance(task.get("tagIds"), list):
            task["tagIds"] = [TAG if is_id(tag) else tag for tag in task["tagIds"]]
        if "title" in task and isinstance(task.get("reminders"), list) and task.get("due") is None:
            task["due"] = "2150-01-01"


def is_id(value):
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value, re.I) is not None


# Rules about the existing task, its other fields or the time, which no schema can express.
RULES = {
    "recurrence_without_due",  # a patch of a task without a due date
    "invalid_recurrence",  # a rule without a date from the due date on
    "recurrence_never_matches",
    "invalid_reminder",  # relative to the due date of a task without one
    "duplicate_reminder",
    "unknown_reminder",
    "too_many_reminders",  # there are already five
    "too_many_tags",  # there are already ten
    "invalid_due",  # a move of a task without a due date, or beyond 2199
    "invalid_quiet_hours",  # from and until are the same
    "invalid_place",  # never issued; real ones come from the links
    "invalid_cursor",
}


ENTITY_TAGS = re.compile(r'\*|[ ,]*(W/)?"[!#-~]*"( *,[ ,]*(W/)?"[!#-~]*")*[ ,]*')


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether a reported failure is a real one."""
    if isinstance(failure, RejectedPositiveData):
        # If-Match is some version, not the current one; If-None-Match is `*`.
        if response.status_code == 412:
            return False
        # schemathesis generates conditions by its own rules, sometimes arbitrary strings.
        conditions = [(case.headers or {}).get(name, "*") for name in ("If-Match", "If-None-Match")]
        if not all(ENTITY_TAGS.fullmatch(tags) for tags in conditions):
            return False
        errors = response.json().get("errors", []) if response.status_code == 400 else []
        return not errors or any(error["code"] not in RULES for error in errors)
    if isinstance(failure, AcceptedNegativeData) and response.status_code == 412:
        # A failed condition is reported before wrong fields.
        return False
    sent = parse_qsl(urlsplit(response.request.url).query, keep_blank_values=True)
    if isinstance(failure, AcceptedNegativeData) and any(not value for _, value in sent):
        # An empty query parameter counts as absent.
        return False
    if isinstance(failure, AcceptedNegativeData) and case.operation.path.endswith("/tasks/bulk"):
        # The call is accepted; a mistake in an operation is reported in its own result.
        return all(result["status"] < 400 for result in response.json()["results"])
    return True
