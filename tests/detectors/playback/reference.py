"""The rules of playback, one session and one record at a time: slow, plain, and written apart from the kernel."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean

from detectors.playback.rules import PlaybackRules
from detectors.schemas import Channel

WAITS = {"starting", "stalled", "waiting", "seeking"}
OVER = {"ended", "quit", "failed"}
TIES = ("preloading", "starting", "stalled", "seeking", "waiting", "playing", "paused", "ended", "failed", "quit")


@dataclass(frozen=True)
class Record:
    session_id: str
    event_time: int
    channel: int = Channel.BEACON
    received_at: int | None = None
    sequence: int | None = None
    state: str | None = None
    bitrate_kbps: float | None = None
    height: int | None = None
    player_height: int | None = None
    startup_ms: int | None = None
    error_code: str | None = None
    http_status: int | None = None
    fatal: bool | None = None
    background: bool | None = None
    ad: bool | None = None
    buffer_ms: float | None = None
    customer_id: str | None = None
    content_id: str | None = None
    cdn: str | None = None
    playback_rate: float | None = None
    top_bitrate_kbps: float | None = None
    transfer_ms: int | None = None
    signed: bool | None = None
    codec: str | None = None

    @property
    def on_timeline(self) -> bool:
        return self.channel in {Channel.BEACON, Channel.CMCD_EVENT}

    @property
    def own_clock(self) -> bool:
        return self.on_timeline or self.channel == Channel.CMCD_RESPONSE

    def content(self) -> tuple[object, ...]:
        rest = (self.bitrate_kbps, self.height, self.player_height, self.startup_ms, self.error_code)
        flags = (self.fatal, self.background, self.ad, self.http_status)
        return (self.event_time, self.sequence, self.state, *rest, *flags)

    def sort_key(self) -> tuple[object, ...]:
        """Content in the order of the columns of a frame, unknown last."""
        named = (
            *(self.event_time, self.sequence, self.bitrate_kbps, self.height, self.player_height),
            *(self.startup_ms, self.error_code, self.fatal, self.background, self.ad, self.http_status),
        )
        return tuple((value is None, value) if value is not None else (True, 0) for value in named)


@dataclass
class Folded:
    """The figures of a session row that the kernel is held to."""

    session_id: str
    started_at: int
    ended_at: int
    events: int
    duplicates: int
    clock_skew_ms: int
    stalls_known: bool
    clamped: int = 0
    startup_ms: int | None = None
    stall_count: int | None = None
    stall_ms: int | None = None
    longest_stall_ms: int | None = None
    long_stall_count: int | None = None
    worst_window_stall_count: int | None = None
    seek_count: int | None = None
    seek_wait_ms: int | None = None
    stall_after_seek_ms: int | None = None
    paused_ms: int | None = None
    watched_ms: int | None = None
    played_ms: int | None = None
    low_picture_ms: int | None = None
    judged_picture_ms: int | None = None
    mean_bitrate_kbps: float | None = None
    failed: bool = False
    exit_before_start: bool = False
    unfinished: bool = False


@dataclass(frozen=True)
class Outcome:
    sessions: list[Folded]
    duplicate: int
    late: int


def fold(records: Iterable[Record], rules: PlaybackRules) -> Outcome:
    by_session = defaultdict(list)
    for record in records:
        by_session[record.session_id].append(record)
    rows: list[Folded] = []
    duplicate = late = 0
    for _, mine in sorted(by_session.items()):
        numbered_channels = {
            channel
            for channel in {r.channel for r in mine}
            if all(r.sequence is not None for r in mine if r.channel == channel)
        }
        kept = once(mine)
        skew = clock_skew(kept)
        used = {r: n for r, n in kept.items() if not is_late(r, skew, rules)}
        duplicate += len(mine) - len(kept)
        late += len(kept) - len(used)
        on_client_clock = [
            (r if r.own_clock else replace(r, event_time=r.event_time - skew), n) for r, n in used.items()
        ]
        rows += [fold_row(part, numbered_channels, skew, rules) for part in parts(on_client_clock, rules)]
    return Outcome(rows, duplicate, late)


def once(records: list[Record]) -> dict[Record, int]:
    """Each record once, with the number of its repeats."""
    groups = defaultdict(list)
    for record in records:
        key = ("number", record.sequence) if record.sequence is not None else ("content", record.content())
        groups[(record.channel, key)].append(record)

    def preference(record: Record) -> tuple[object, ...]:
        state = -1 if record.state is None else TIES.index(record.state)
        arrival = (True, 0) if record.received_at is None else (False, record.received_at)
        return (arrival, state, record.sort_key())

    return {min(group, key=preference): len(group) - 1 for group in groups.values()}


def clock_skew(records: Iterable[Record]) -> int:
    lags = [r.received_at - r.event_time for r in records if r.own_clock and r.received_at is not None]
    return min(lags) if lags and abs(min(lags)) > 600_000 else 0


def is_late(record: Record, skew: int, rules: PlaybackRules) -> bool:
    if record.received_at is None:
        return False
    corrected = record.event_time + (skew if record.own_clock else 0)
    return record.received_at - corrected > rules.timeline.allowed_lateness_ms


def parts(records: list[tuple[Record, int]], rules: PlaybackRules) -> list[list[tuple[Record, int]]]:
    result: list[list[tuple[Record, int]]] = []
    for item in sorted(records, key=lambda item: item[0].event_time):
        if not result or item[0].event_time - result[-1][-1][0].event_time > rules.timeline.session_gap_ms:
            result.append([])
        result[-1].append(item)
    return result


def in_channel_order(records: list[Record], *, numbered: bool) -> list[Record]:
    if numbered:
        return sorted(records, key=lambda r: r.sequence or 0)

    def key(record: Record) -> tuple[object, ...]:
        number = (True, 0) if record.sequence is None else (False, record.sequence)
        return (record.event_time, number, -1 if record.state is None else TIES.index(record.state), record.sort_key())

    return sorted(records, key=key)


def timeline_of(records: list[Record], numbered: set[int]) -> list[Record]:
    """Both timeline channels, merged by a clock that never runs back within its channel."""
    merged = []
    for channel in (Channel.BEACON, Channel.CMCD_EVENT):
        mine = in_channel_order([r for r in records if r.channel == channel], numbered=channel in numbered)
        reached = None
        for place, record in enumerate(mine):
            reached = record.event_time if reached is None else max(reached, record.event_time)
            merged.append(((reached, channel, place), record))
    return [record for _, record in sorted(merged, key=lambda item: item[0])]


def fold_row(items: list[tuple[Record, int]], numbered: set[int], skew: int, rules: PlaybackRules) -> Folded:
    records = [record for record, _ in items]
    timeline = timeline_of(records, numbered)
    times = [r.event_time for r in timeline or records]
    row = Folded(
        session_id=records[0].session_id,
        started_at=min(times),
        ended_at=max(times),
        events=len(records),
        duplicates=sum(repeats for _, repeats in items),
        clock_skew_ms=skew,
        stalls_known=any(r.state is not None for r in timeline),
    )
    witnesses = [r for r in records if not r.on_timeline]
    ordered_witnesses = []
    for channel in (Channel.CMCD_RESPONSE, Channel.CMCD_REQUEST, Channel.ACCESS_LOG):
        mine = [r for r in witnesses if r.channel == channel]
        ordered_witnesses += in_channel_order(mine, numbered=channel in numbered)
    reported = [r.startup_ms for r in (*timeline, *ordered_witnesses) if r.startup_ms is not None]
    Fold(row, timeline, ordered_witnesses, rules).run(reported[0] if reported else None)
    return row


class Fold:
    """One pass over one timeline."""

    def __init__(self, row: Folded, timeline: list[Record], witnesses: list[Record], rules: PlaybackRules) -> None:
        self.row, self.timeline, self.witnesses, self.rules = row, timeline, witnesses, rules
        self.states = self.settled()
        self.modes = self.mode_of_each()
        gaps = [b.event_time - a.event_time for a, b in pairwise(timeline)]
        self.raw_steps = [*gaps, 0][: len(timeline)]
        self.steps = [max(step, 0) for step in self.raw_steps]
        self.counts = self.which_count()
        self.counted = self.counted_time()

    def settled(self) -> list[str | None]:
        """States, with passed failures out and lasting fatal errors in."""
        states = [r.state for r in self.timeline]
        result = list(states)
        for i, record in enumerate(self.timeline):
            if states[i] != "failed" and record.fatal is not True:
                continue
            recovered = any(
                later == "playing" or (later == "ended" and "playing" in states[: k + 1])
                for k, later in enumerate(states)
                if k > i
            )
            if not recovered:
                result[i] = "failed"
            elif states[i] == "failed":
                result[i] = None
        return result

    def mode_of_each(self) -> list[str]:
        first_state = next((s for s in self.states if s is not None), None)
        # A row that begins in the middle of its player's count goes on with a film that had begun.
        opening = next((r.channel for r, s in zip(self.timeline, self.states, strict=True) if s is not None), None)
        at_the_start = (
            {"preloading", "starting"} if opening == Channel.CMCD_EVENT else {"preloading", *WAITS - {"seeking"}}
        )
        numbered = all((r.sequence or 0) > 1 for r in self.timeline)
        began = numbered and first_state is not None and first_state not in at_the_start
        mode = "play" if began else {"preloading": "preload", "paused": "pause"}.get(first_state or "", "start")
        modes, previous = [], None
        for state in self.states:
            if state is not None:
                mode = self.after(mode, state, previous) if began else self.before(mode, state)
                began = began or state == "playing"
                previous = state
            modes.append(mode)
        return modes

    @staticmethod
    def before(mode: str, state: str) -> str:
        if state == "playing":
            return "play"
        if mode == "over" or state in OVER:
            return "over"
        return {"preloading": "preload", "paused": "pause"}.get(state, "start")

    @staticmethod
    def after(mode: str, state: str, previous: str | None) -> str:
        if state == "playing":
            return "play"
        if mode == "over" or state in OVER:
            return "over"
        if mode == "pause" or state == "paused":
            return "pause"
        if mode == "seek" or state == "seeking":
            return "seek"
        if mode == "stall" or state == "stalled" or (state == "waiting" and previous == "playing"):
            return "stall"
        return "restart" if mode == "restart" or state != "preloading" else "preload"

    def which_count(self) -> list[bool]:
        asleep = self.heartbeats_were_due()
        background = ad = False
        result = []
        for record, step in zip(self.timeline, self.raw_steps, strict=True):
            if record.background is not None:
                background = record.background
            elif record.channel == Channel.CMCD_EVENT:
                background = False
            ad = ad if record.ad is None else record.ad
            result.append(not (background or ad or (asleep and step > self.rules.timeline.sleep_gap_ms)))
        return result

    def heartbeats_were_due(self) -> bool:
        gaps, state = [], None
        for i, settled in enumerate(self.states):
            if i and (settled is None or settled == state):
                gaps.append(self.raw_steps[i - 1])
            state = settled or state
        prompt = [gap for gap in gaps if gap <= self.rules.timeline.sleep_gap_ms // 2]
        return len(prompt) >= 2 and 2 * len(prompt) >= len(gaps)

    def counted_time(self) -> list[int]:
        cap = self.rules.timeline.open_stall_cap_ms
        waits = {"start", "stall", "seek"}
        return [
            (min(step, cap) if mode in waits else step) if counts else 0
            for step, mode, counts in zip(self.steps, self.modes, self.counts, strict=True)
        ]

    def spans(self) -> list[list[int]]:
        result: list[list[int]] = []
        for i, mode in enumerate(self.modes):
            if not result or self.modes[i - 1] != mode:
                result.append([])
            result[-1].append(i)
        return result

    def total(self, *modes: str) -> int:
        return sum(ms for ms, mode in zip(self.counted, self.modes, strict=True) if mode in modes)

    def run(self, reported: int | None) -> None:
        row = self.row
        row.clamped = sum(step < 0 for step in self.raw_steps)
        if row.stalls_known:
            self.waits()
            self.picture()
        self.start(reported)
        self.ending()
        if not row.stalls_known:
            plain = [r.bitrate_kbps for r in self.witnesses if r.bitrate_kbps is not None]
            plain = plain or [r.bitrate_kbps for r in self.timeline if r.bitrate_kbps is not None]
            row.mean_bitrate_kbps = fmean(plain) if plain else None

    def waits(self) -> None:
        row, rules = self.row, self.rules
        stalls = [
            (self.timeline[span[0]].event_time, sum(self.counted[i] for i in span))
            for span in self.spans()
            if self.modes[span[0]] == "stall" and any(self.counts[i] for i in span)
        ]
        long = [at for at, ms in stalls if ms >= rules.stalls.burst_stall_ms]
        row.stall_count = len(stalls)
        row.stall_ms = self.total("stall")
        row.longest_stall_ms = max((ms for _, ms in stalls), default=0)
        row.long_stall_count = len(long)
        row.worst_window_stall_count = max(
            (sum(at <= other <= at + rules.stalls.burst_window_ms for other in long) for at in long), default=0
        )
        edges = self.seek_edges()
        row.seek_count = sum(
            k == 0
            or self.timeline[edge].event_time - self.timeline[edges[k - 1]].event_time > rules.timeline.seek_burst_ms
            for k, edge in enumerate(edges)
        )
        row.seek_wait_ms = self.total("seek")
        row.stall_after_seek_ms = sum(
            max(
                sum(self.counted[max(e for e in edges if e <= span[-1]) : span[-1] + 1]) - rules.timeline.seek_grace_ms,
                0,
            )
            for span in self.spans()
            if self.modes[span[0]] == "seek"
        )
        row.paused_ms = self.total("pause")
        row.watched_ms = self.total("start", "play", "restart", "stall", "seek")
        row.played_ms = self.total("play")

    def seek_edges(self) -> list[int]:
        edges: list[int] = []
        previous: int | None = None
        for i, state in enumerate(self.states):
            if state == "seeking" and self.modes[i] != "start":
                since = None if previous is None else self.timeline[i].event_time - self.timeline[previous].event_time
                confirms = previous is not None and self.states[previous] == "seeking"
                if not confirms or (since is not None and since <= self.rules.timeline.seek_burst_ms):
                    edges.append(i)
            if state is not None:
                previous = i
        return edges

    def start(self, reported: int | None) -> None:
        row = self.row
        measurable = any(m == "start" and c for m, c in zip(self.modes, self.counts, strict=True))
        if not row.stalls_known:
            row.startup_ms = reported
        elif "playing" in self.states:
            row.startup_ms = self.total("start") if measurable else reported

    def ending(self) -> None:
        row, rules = self.row, self.rules
        if not self.timeline:
            return
        spans = self.spans()
        last = spans[-1]
        closing = self.states[last[0]] if self.modes[last[0]] == "over" else None
        stop = spans[-2] if closing in {"failed", "quit"} and len(spans) > 1 else last
        waiting = self.modes[stop[0]] in {"start", "stall", "seek"}
        unplayed = "playing" not in self.states and "start" in self.modes
        since: int | None = None
        if closing == "failed":
            since = self.timeline[last[0]].event_time
        if waiting:
            since = self.timeline[stop[0]].event_time
        if unplayed:
            since = row.started_at
        errors = [
            r for r in (*self.timeline, *self.witnesses) if r.error_code is not None or (r.http_status or 0) >= 400
        ]
        near = [r for r in errors if since is not None and r.event_time >= since - 10_000]
        business = any(is_business(r) for r in near)
        broke = closing == "failed" or ((waiting or unplayed) and bool(near) and row.stalls_known)
        row.failed = broke and not business
        row.unfinished = row.stalls_known and self.modes[last[0]] in {"start", "stall", "seek"}
        row.exit_before_start = (
            row.stalls_known
            and "playing" not in self.states
            and not row.failed
            and not business
            and self.total("start") > rules.failure.min_wait_ms
        )

    def picture(self) -> None:
        """Played time cut at every record that tells of the picture."""
        row, figures = self.row, self.rules.picture
        told = []
        clock = 0
        starts = []
        latest = self.timeline[0].event_time
        for i, record in enumerate(self.timeline):
            starts.append(clock)
            latest = max(latest, record.event_time)
            told.append((clock, latest, 1, i, record))
            clock += self.counted[i] if self.modes[i] == "play" else 0
        for k, record in enumerate(self.witnesses):
            row_at, reached = 0, None
            for i, mine in enumerate(self.timeline):
                reached = mine.event_time if reached is None else max(reached, mine.event_time)
                if reached <= record.event_time:
                    row_at = i
            played = self.counted[row_at] if self.modes[row_at] == "play" else 0
            within = min(max(record.event_time - self.timeline[row_at].event_time, 0), played)
            told.append((starts[row_at] + within, record.event_time, 0, k, record))
        told.sort(key=lambda item: item[:4])
        rates = [r.bitrate_kbps for r in (*self.timeline, *self.witnesses) if r.bitrate_kbps is not None]
        low = judged = weight = 0
        weighted = 0.0
        rate = height = screen = None
        for k, (at, _, _, _, record) in enumerate(told):
            rate = record.bitrate_kbps if record.bitrate_kbps is not None else rate
            height = record.height if record.height is not None else height
            screen = record.player_height if record.player_height is not None else screen
            lasts = (told[k + 1][0] if k + 1 < len(told) else clock) - at
            by_height = height is not None and screen is not None
            if rate is not None:
                weight, weighted = weight + lasts, weighted + lasts * rate
            if rate is not None or by_height:
                judged += lasts
            # No record here names the best rendition, so that what is low for any title is low.
            little = rate is not None and rate <= max(figures.low_bitrate_ratio * max(rates), figures.low_bitrate_kbps)
            little = little and not (height is not None and height >= figures.good_height)
            if height is not None and screen is not None:
                little = little or (height <= figures.low_height and screen >= figures.min_player_height)
            low += lasts if little else 0
        row.low_picture_ms, row.judged_picture_ms = low, judged
        row.mean_bitrate_kbps = weighted / weight if weight else None


def is_business(record: Record) -> bool:
    code = (record.error_code or "").lower()
    return code.startswith(("drm", "license", "licence", "entitlement", "business")) or record.http_status in {
        401,
        402,
        403,
        451,
    }
