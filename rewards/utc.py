"""Days and times as the books write them: UTC, never the zone of a machine."""

from datetime import UTC, datetime


def utc_day(now_s: float) -> str:
    """The UTC day of a Unix time, 2026-11-22."""
    return datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%d")


def utc_time(now_s: float) -> str:
    """A Unix time for people, 2026-11-22 18:04 UTC."""
    return datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
