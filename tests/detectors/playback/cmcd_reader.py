"""A small reader of recorded collector lines, enough for these tests: `detectors.telemetry` is judged elsewhere."""

import json
import re
from pathlib import Path

import polars as pl

from detectors import schemas
from detectors.schemas import Channel

STATES = {
    "d": "preloading",
    "s": "starting",
    "p": "playing",
    "k": "seeking",
    "r": "stalled",
    "a": "paused",
    "w": "waiting",
    "e": "ended",
    "f": "failed",
    "q": "quit",
}
PAIR = re.compile(r'([\w-]+)(?:=("(?:[^"\\]|\\.)*"|\([^)]*\)|[^,]*))?(?:,|$)')


def events_of(reports: Path) -> pl.DataFrame:
    """The recorded reports as `schemas.EVENTS`."""
    rows = [row_of(json.loads(line)) for line in reports.read_text(encoding="utf-8").splitlines()]
    return pl.DataFrame(rows, schema=schemas.EVENTS, strict=False)


def row_of(line: dict[str, str | int]) -> dict[str, object]:
    keys = {name: value.strip('"') for name, value in PAIR.findall(str(line["cmcd"]))}
    event = keys.get("e")
    channel = Channel.CMCD_REQUEST if line["mode"] == "request" else Channel.CMCD_EVENT
    tells_error = event == "e" or (event == "ps" and keys.get("sta") == "f")
    audio = keys.get("ot") == "a"
    return {
        "session_id": keys["sid"],
        "content_id": keys.get("cid"),
        "event_time": int(keys.get("ts", line["received_at"])),
        "received_at": line["received_at"],
        "sequence": int(keys["sn"]),
        "channel": Channel.CMCD_RESPONSE if event == "rr" else channel,
        "state": STATES[keys["sta"]] if event == "ps" else None,
        "bitrate_kbps": None if audio else video(keys.get("br")),
        "top_bitrate_kbps": None if audio else video(keys.get("tb")),
        "buffer_ms": video(keys.get("bl")),
        "startup_ms": keys.get("msd"),
        "error_code": keys.get("ec") if tells_error else None,
        "background": True if "bg" in keys else None,
        "http_status": keys.get("rc"),
    }


def video(value: str | None) -> float | None:
    """The member that is video's, else the only untyped one."""
    if value is None:
        return None
    members = value.strip("()").split()
    chosen = next((m for m in members if m.endswith(";v")), members[0] if ";" not in members[0] else None)
    return None if chosen is None else float(chosen.removesuffix(";v"))
