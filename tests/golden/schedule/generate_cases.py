#!/usr/bin/env python3
"""Writes due_times.inc: when schedules are due, told by another program than the one under test.

The rules of time zones are those of Python's zoneinfo. Cron is given here as plain sets, not parsed,
and each local minute of the window is tried: one that does not exist is due when the clock jumps,
one that comes twice the first time. Run: generate_cases.py > due_times.inc
"""
import datetime
import zoneinfo

UTC = datetime.timezone.utc
ALL = None


def local_to_instant(local, zone):
    first = local.replace(tzinfo=zone, fold=0)
    instant = first.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local:
        return instant
    # Left out: the first instant after it at which the zone's offset is the later one.
    after = first.replace(fold=1).utcoffset()
    before = first.utcoffset()
    low = instant - datetime.timedelta(days=1)
    high = instant + datetime.timedelta(days=1)
    larger = max(before, after)
    while high - low > datetime.timedelta(seconds=1):
        middle = low + (high - low) / 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == larger:
            high = middle
        else:
            low = middle
    return high


def due_times(case):
    zone = zoneinfo.ZoneInfo(case['zone'])
    begin = datetime.datetime.fromisoformat(case['from'])
    end = datetime.datetime.fromisoformat(case['to'])
    due = set()
    local = begin
    while local <= end:
        cron_day = (local.weekday() + 1) % 7
        if ((case['minutes'] is ALL or local.minute in case['minutes'])
                and (case['hours'] is ALL or local.hour in case['hours'])
                and (case['months'] is ALL or local.month in case['months'])):
            by_day = case['days'] is ALL or local.day in case['days']
            by_weekday = case['weekdays'] is ALL or cron_day in case['weekdays']
            either = case['days'] is not ALL and case['weekdays'] is not ALL
            if (by_day or by_weekday) if either else (by_day and by_weekday):
                due.add(local_to_instant(local, zone))
        local += datetime.timedelta(minutes=1)
    return sorted(due)


def case(cron, zone, begin, end, minutes, hours=ALL, days=ALL, months=ALL, weekdays=ALL):
    return dict(cron=cron, zone=zone, minutes=minutes, hours=hours, days=days, months=months,
                weekdays=weekdays, **{'from': begin, 'to': end})


NEW_YORK = 'America/New_York'
CASES = [
    # Both changes of a year: 2026-03-08 02:00 is 03:00, 2026-11-01 02:00 is 01:00 again.
    case('0 23 * * *', NEW_YORK, '2026-03-05', '2026-03-12', {0}, {23}),
    case('0 23 * * *', NEW_YORK, '2026-10-29', '2026-11-05', {0}, {23}),
    case('30 2 * * *', NEW_YORK, '2026-03-06', '2026-03-11', {30}, {2}),
    case('30 1 * * *', NEW_YORK, '2026-10-30', '2026-11-04', {30}, {1}),
    case('*/20 0-4 * * *', NEW_YORK, '2026-03-07', '2026-03-09', {0, 20, 40}, {0, 1, 2, 3, 4}),
    case('*/20 0-4 * * *', NEW_YORK, '2026-10-31', '2026-11-02', {0, 20, 40}, {0, 1, 2, 3, 4}),
    case('@hourly', NEW_YORK, '2026-11-01', '2026-11-02', {0}),
    case('0 8,2 * * *', 'UTC', '2026-03-07', '2026-03-09', {0}, {2, 8}),
    # Half an hour of daylight saving; a midnight that is left out; a day that is left out.
    case('15,45 1-2 * * *', 'Australia/Lord_Howe', '2026-04-04', '2026-04-06', {15, 45}, {1, 2}),
    case('15,45 1-2 * * *', 'Australia/Lord_Howe', '2026-10-03', '2026-10-05', {15, 45}, {1, 2}),
    case('0 0 * * *', 'Asia/Beirut', '2026-03-27', '2026-03-31', {0}, {0}),
    case('0 12 * * *', 'Pacific/Apia', '2011-12-28', '2012-01-02', {0}, {12}),
    case('5 4 * * sun', 'Europe/Berlin', '2026-03-20', '2026-04-20', {5}, {4}, weekdays={0}),
    # Either day suffices when both are restricted.
    case('0 6 1,15 * fri', 'UTC', '2026-01-01', '2026-03-01', {0}, {6}, days={1, 15}, weekdays={5}),
    case('0 6 */10 * mon-fri/2', 'UTC', '2026-01-01', '2026-04-01', {0}, {6}, days={1, 11, 21, 31},
         weekdays=ALL),
    case('0 0 29 feb *', 'UTC', '2023-01-01', '2029-01-01', {0}, {0}, days={29}, months={2}),
    case('@weekly', 'Asia/Kolkata', '2026-01-01', '2026-02-01', {0}, {0}, weekdays={0}),
    case('50-59/3 23 31 12,jan *', 'UTC', '2025-12-01', '2026-12-31', {50, 53, 56, 59}, {23},
         days={31}, months={1, 12}),
]
# A day that begins with '*' restricts by itself only: both must hold then.
CASES[14]['both'] = {1, 3, 5}


def main():
    print('// Written by generate_cases.py: cron, zone, and all due times of the window in seconds.')
    for one in CASES:
        due = due_times(one)
        if 'both' in one:
            due = [at for at in due if (at.weekday() + 1) % 7 in one['both']]
        times = [str(int(at.timestamp())) for at in due]
        print('{"%s", "%s",' % (one['cron'], one['zone']))
        rows = [', '.join(times[i:i + 7]) for i in range(0, len(times), 7)]
        print(' {' + ',\n  '.join(rows) + '}},')


main()
