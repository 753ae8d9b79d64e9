#!/usr/bin/env python3
"""Writes rrule.jsonl: recurrence rules and when they occur, as python-dateutil and zoneinfo have it.

Usage, from this folder:

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install python-dateutil==4.0.0 tzdata==2026.6
    /tmp/venv/bin/python make.py > rrule.jsonl

It takes about a minute; the same seed and packages give the same file. crates/domain/tests/domain/recurrence_corpus.rs checks the engine
against it, so neither Python nor a network is needed to run the tests.

The first line says what the corpus was made with and what was left out. Every other line is one rule:

    rule    RRULE text
    start   DTSTART, the local time of the first due
    zone    its IANA zone
    n       how many occurrences there are, up to 2119; at most 40 are looked at
    first   the first three, as Unix seconds
    last    the last of the n
    fnv     FNV-1a, 64 bits, over all n as little-endian 64-bit integers

Dates come from dateutil in naive local time and become instants with zoneinfo as RFC 5545, section 3.3.5, says: a time
that clocks skip is read with the offset before the gap, of a time that comes twice the first is meant. COUNT and UNTIL
are applied to the instants, because a day that a zone skipped (Samoa, 30 December 2011) makes one instant of two dates.

Where dateutil and the engine differ on purpose, the script does one of three things.

Said in other words, so that both mean the same:
  * BYWEEKNO without a day: RFC 5545 takes the weekday of DTSTART, dateutil all seven. dateutil is given the weekday.
  * BYSETPOS with WEEKLY: the engine counts in the whole week, dateutil in the first week from DTSTART on. DTSTART is the
    first day of a week here.
  * UNTIL of any form: dateutil knows no zone, so the script compares.

Left out and counted:
  * BYWEEKNO where dateutil misses January days of a last week, as plain ISO 8601 arithmetic shows.
  * DTSTART in a gap: the engine keeps the instant and with it the later local time.

Never drawn:
  * BYDAY with and without numbers in one list: alternatives for the engine, both at once for dateutil.
  * What RFC 5545 rules out and the parser refuses: BYWEEKNO or BYYEARDAY without YEARLY, BYMONTHDAY with WEEKLY, numbers
    in BYDAY with DAILY, WEEKLY or BYWEEKNO, BYSETPOS alone, COUNT with UNTIL.
"""

import datetime as dt
import itertools
import json
import random
import sys
import zoneinfo
from importlib.metadata import version

from dateutil.rrule import rrulestr

SEED = 5545
RULES = 1500
MOST = 40
SPARE = 5  # dates more, because some may fall on another's instant
HORIZON = dt.date(2119, 12, 31)  # dateutil looks no further: it takes seconds for a rule that matches nothing
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]

# Zones, and times of day of which some are skipped or come twice there.
ZONES = {
    "UTC": ["09:00:00", "23:59:59"],
    "Europe/Berlin": ["09:00:00", "02:30:00", "02:00:00", "23:59:59"],
    "Europe/Dublin": ["01:30:00", "08:00:00"],
    "America/New_York": ["17:00:00", "02:30:00", "01:30:00"],
    "America/St_Johns": ["00:00:30", "12:00:00"],
    "America/Sao_Paulo": ["00:30:00", "23:30:00", "10:00:00"],
    "America/Santiago": ["00:30:00", "23:30:00", "09:00:00"],
    "Asia/Kathmandu": ["06:15:00"],
    "Australia/Sydney": ["02:30:00", "09:00:00"],
    "Australia/Lord_Howe": ["02:15:00", "01:45:00", "09:00:00"],
    "Pacific/Auckland": ["02:30:00", "07:00:00"],
    "Pacific/Apia": ["09:00:00", "00:00:00", "03:30:00"],
}

zoneinfo.reset_tzpath(to=[])  # the tzdata package, not what the machine has
left_out = {"byweekno_new_year": 0, "start_in_gap": 0}


def instant(local, zone):
    """Unix seconds of a naive local time; fold=0 is what RFC 5545 says of gaps and of times that come twice."""
    return int(local.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=0).timestamp())


def in_gap(local, zone):
    there = dt.datetime.fromtimestamp(instant(local, zone), zoneinfo.ZoneInfo(zone))
    return there.replace(tzinfo=None) != local


def signed(most):
    return [number for number in range(-most, most + 1) if number != 0]


def some(draw, values, most):
    return sorted(draw.sample(values, draw.randint(1, min(most, len(values)))))


def listed(name, values):
    return f";{name}={','.join(str(value) for value in values)}"


def weekdays(draw, ordinals):
    days = sorted(draw.sample(WEEKDAYS, draw.randint(1, 3)), key=WEEKDAYS.index)
    if ordinals and draw.random() < 0.6:
        days = [f"{draw.choice(signed(ordinals))}{day}" for day in days]
    return listed("BYDAY", days)


def positions(draw, parts):
    """BYSETPOS, if there is something to choose from."""
    if not parts or draw.random() >= 0.3:
        return ""
    return listed("BYSETPOS", some(draw, signed(4), 2))


def draw_body(draw, frequency):
    """A rule without its end."""

    def maybe(chance, part):
        return part() if draw.random() < chance else ""

    months = lambda: listed("BYMONTH", some(draw, range(1, 13), 4))
    month_days = lambda: listed("BYMONTHDAY", some(draw, signed(31), 4))
    if frequency == "DAILY":
        parts = maybe(0.3, months) + maybe(0.3, month_days) + maybe(0.4, lambda: weekdays(draw, 0))
        return parts + maybe(0.1, lambda: ";BYSETPOS=-1" if parts else "")
    if frequency == "WEEKLY":
        parts = maybe(0.3, months) + maybe(0.7, lambda: weekdays(draw, 0))
        return parts + positions(draw, "BYDAY" in parts)
    if frequency == "MONTHLY":
        parts = maybe(0.3, months) + maybe(0.4, month_days) + maybe(0.5, lambda: weekdays(draw, 5))
        return parts + positions(draw, parts)
    kind = draw.random()
    if kind < 0.3:
        weeks = listed("BYWEEKNO", some(draw, signed(53), 3))
        return maybe(0.2, months) + weeks + maybe(0.6, lambda: weekdays(draw, 0))
    if kind < 0.5:
        parts = maybe(0.1, months) + listed("BYYEARDAY", some(draw, signed(366), 5)) + maybe(0.2, lambda: weekdays(draw, 0))
        return parts + positions(draw, parts)
    parts = maybe(0.6, months) + maybe(0.4, month_days)
    parts += maybe(0.5, lambda: weekdays(draw, 5 if "BYMONTH=" in parts else 53))
    return parts + positions(draw, parts)


def draw_start(draw, zone):
    if zone == "Pacific/Apia" and draw.random() < 0.6:
        day = dt.date(2011, 12, 1) + dt.timedelta(days=draw.randint(0, 40))
    else:
        day = dt.date(1980, 1, 1) + dt.timedelta(days=draw.randint(0, 80 * 365))
        if draw.random() < 0.1:  # ends of months and leap days
            day = draw.choice([dt.date(day.year // 4 * 4, 2, 29), dt.date(day.year, 1, 31), dt.date(day.year, 12, 31)])
    return dt.datetime.combine(day, dt.time.fromisoformat(draw.choice(ZONES[zone])))


def draw_end(draw, start, zone):
    """COUNT or UNTIL as text, and what it allows: a number, or a test of a local time and its instant."""
    kind = draw.random()
    if kind < 0.5:
        return "", None
    if kind < 0.7:
        count = draw.randint(1, 40)
        return f";COUNT={count}", count
    last = start + dt.timedelta(days=int(10 ** draw.uniform(0, 4)), minutes=draw.choice([0, 0, -1, 1]))
    if kind < 0.8:
        return f";UNTIL={last:%Y%m%d}", lambda local, at: local.date() <= last.date()
    limit = instant(last, zone)
    if kind < 0.9:
        return f";UNTIL={last:%Y%m%dT%H%M%S}", lambda local, at: at <= limit
    utc = dt.datetime.fromtimestamp(limit, dt.timezone.utc)
    return f";UNTIL={utc:%Y%m%dT%H%M%SZ}", lambda local, at: at <= limit


def week(day, wkst):
    """Year and number of a week as in ISO 8601, but beginning with wkst; and how many weeks that year has."""

    def numbered(day):
        first = day - dt.timedelta(days=(day.weekday() - wkst) % 7)
        fourth = first + dt.timedelta(days=3)
        return fourth.year, (fourth.timetuple().tm_yday - 1) // 7 + 1

    year, number = numbered(day)
    return number, numbered(dt.date(year, 12, 28))[1]


def knows_new_year(dates, body, start, wkst):
    """Whether dateutil has the days around New Year that BYWEEKNO, BYMONTH and BYDAY name, in every year it looked at."""
    parts = dict(part.split("=") for part in body.split(";") if part)
    weeks = [int(number) for number in parts["BYWEEKNO"].split(",")]
    months = [int(number) for number in parts.get("BYMONTH", "").split(",") if number] or range(1, 13)
    days = [WEEKDAYS.index(day) for day in parts["BYDAY"].split(",")]
    have = {date.date() for date in dates}
    years = int(parts["INTERVAL"])
    last = dates[-1].date() if len(dates) == MOST + SPARE else HORIZON
    for year in range(start.year, last.year + 1, years):
        edge = [dt.date(year, 1, day) for day in range(1, 7)] + [dt.date(year, 12, day) for day in range(26, 32)]
        for day in edge:
            number, total = week(day, wkst)
            named = (number in weeks or number - total - 1 in weeks) and day.weekday() in days and day.month in months
            if start.date() <= day <= last and named != (day in have):
                return False
    return True


def draw_line(draw):
    frequency = draw.choices(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"], [1, 1, 2, 3])[0]
    interval = draw.choice([1, 1, 1, 2, 3, 4, 5, 7, 13])
    wkst = draw.randrange(7) if draw.random() < 0.3 else 0
    body = draw_body(draw, frequency)
    zone = draw.choice(list(ZONES))
    start = draw_start(draw, zone)
    if frequency == "WEEKLY" and "BYSETPOS" in body:
        start -= dt.timedelta(days=(start.weekday() - wkst) % 7)
    if in_gap(start, zone):
        left_out["start_in_gap"] += 1
        return None
    head = f"FREQ={frequency};INTERVAL={interval}"
    oracle_body = body
    if "BYWEEKNO" in body and "BYDAY" not in body:
        oracle_body += f";BYDAY={WEEKDAYS[start.weekday()]}"
    oracle = rrulestr(f"{head}{oracle_body};WKST={WEEKDAYS[wkst]};UNTIL={HORIZON:%Y%m%d}T235959", dtstart=start)
    dates = list(itertools.islice(oracle, MOST + SPARE))
    if "BYWEEKNO" in body and not knows_new_year(dates, f"INTERVAL={interval}{oracle_body}", start, wkst):
        left_out["byweekno_new_year"] += 1
        return None
    end, allowed = draw_end(draw, start, zone)
    occurrences = []
    for local in dates:
        at = instant(local, zone)
        if callable(allowed) and not allowed(local, at):
            break
        if isinstance(allowed, int) and len(occurrences) == allowed:
            break
        if not occurrences or at > occurrences[-1]:
            occurrences.append(at)
    occurrences = occurrences[:MOST]
    fnv = 0xCBF29CE484222325
    for at in occurrences:
        for byte in at.to_bytes(8, "little", signed=True):
            fnv = (fnv ^ byte) * 0x100000001B3 % 2**64
    return {
        "rule": f"{head}{end}{body}" + (f";WKST={WEEKDAYS[wkst]}" if wkst else ""),
        "start": start.isoformat(),
        "zone": zone,
        "n": len(occurrences),
        "first": occurrences[:3],
        "last": occurrences[-1] if occurrences else None,
        "fnv": f"{fnv:016x}",
    }


def main():
    draw = random.Random(SEED)
    lines = []
    while len(lines) < RULES:
        line = draw_line(draw)
        if line is not None:
            lines.append(line)
    made_with = {name: version(name) for name in ["python-dateutil", "tzdata"]}
    head = {"seed": SEED, "rules": RULES, "most": MOST, "until_year": HORIZON.year, "left_out": left_out, "made_with": made_with}
    for line in [head, *lines]:
        json.dump(line, sys.stdout, separators=(",", ":"))
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
