"""Recurrence rules by python-dateutil, in the owner's local time."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from dateutil.rrule import rrulestr

FREQUENCY = re.compile(r"(?:^|;)FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(?:;|$)")
LOCAL_UNTIL = re.compile(r"(UNTIL=\d{8})(T\d{6})?(?=;|$)")
LAST_YEAR = 2199


def canonical(text: str) -> str:
    """The rule in upper case without its prefix. Raises `ValueError` for what is none."""
    rule = text.strip().upper().removeprefix("RRULE:")
    if not FREQUENCY.search(rule) or re.search(r"INTERVAL=0|\s", rule):
        raise ValueError("give an RFC 5545 rule with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
    next(occurrences(rule, datetime(2026, 1, 1, tzinfo=UTC)), None)
    return rule


def occurrences(rule: str, start: datetime) -> Iterator[datetime]:
    """The instants of a rule from `start` on, whose zone's local time of day they keep."""
    # dateutil wants UNTIL and DTSTART to be both local or both with a zone; a date means that whole day.
    local = LOCAL_UNTIL.search(rule)
    if local:
        rule = LOCAL_UNTIL.sub(lambda until: until[1] + (until[2] or "T235959"), rule)
    for at in rrulestr(rule, dtstart=start.replace(tzinfo=None) if local else start):
        if at.year > LAST_YEAR:
            return
        # To UTC and back: a local time that the zone skips moves forward.
        yield at.replace(tzinfo=start.tzinfo).astimezone(UTC).astimezone(start.tzinfo)
