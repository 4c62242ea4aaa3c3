"""Making a night: part after part of its sessions, then its parcels; every file of the folder that `nightly` reads."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.synth.arrivals import Arrived, Clocks, arrive, clocks
from pipelines.synth.beacons import beacons
from pipelines.synth.book import Accounts, accounts, customers, grants, orders
from pipelines.synth.carriers import (
    aftership_lines,
    canonical_lines,
    contact_lines,
    customer_lines,
    easypost_lines,
    order_lines,
    stock_lines,
)
from pipelines.synth.cmcd import cmcd_lines
from pipelines.synth.delivery_standard import due, mixups
from pipelines.synth.figures import Figures, figures
from pipelines.synth.forgery import moved, replayed, sources
from pipelines.synth.incidents import Outage, outage, troubled
from pipelines.synth.journeys import Fire, fire, travelled
from pipelines.synth.owed import owed_minor
from pipelines.synth.parcels import parcels
from pipelines.synth.population import Visits, visits
from pipelines.synth.recipe import Chunk, Recipe
from pipelines.synth.scenes import Timeline
from pipelines.synth.standard import Suffered, suffered
from pipelines.synth.trace import Trace, trace
from pipelines.synth.truth import lines_truth, parcels_truth, sessions_truth
from pipelines.synth.viewing import watch
from pipelines.synth.writing import Folder

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """How much was made."""

    sessions: int
    events: int
    parcels: int


@dataclass(frozen=True, slots=True)
class _Part:
    """Everything about a part of the night."""

    seen: Visits
    line: Timeline
    clock: Clocks
    felt: Suffered
    told: Trace
    came: Arrived
    known: Accounts


def synthesize(recipe: Recipe, out: Path, tell: Tell) -> Made:
    """Writes a night into a folder of the shape that `nightly` and `replay` read, with its truth.

    Memory does not grow with the number of sessions.

    Args:
      recipe: What to make; the same recipe gives the same bytes.
      out: The folder; files of the same names in it are written over.
      tell: Hears what is being done.
    """
    standard = figures()
    broken = outage(recipe)
    events = 0
    with Folder(out) as folder:
        folder.as_of(recipe)
        for chunk in recipe.chunks():
            tell(f"making sessions, part {chunk.number + 1}")
            rng = recipe.random("chunk", chunk.number)
            part = _part(recipe, chunk, broken, standard, rng)
            _write_book(folder, part, broken, standard)
            _write_telemetry(folder, recipe, part, rng)
            events += part.came.record.size
        burning = fire(recipe)
        for numbers in recipe.batches():
            tell(f"making parcels from {numbers.start + 1:,} on")
            _write_parcels(folder, recipe, numbers, burning, standard)
    return Made(recipe.sessions, events, recipe.parcel_count)


def _part(recipe: Recipe, chunk: Chunk, broken: Outage | None, standard: Figures, rng: np.random.Generator) -> _Part:
    seen = troubled(recipe, visits(recipe, chunk, rng), broken, rng)
    line = watch(seen, rng)
    length = line.length_ms
    clock = clocks(seen, length, recipe.as_of, rng)
    felt = suffered(seen, line, standard.playback)
    told = trace(seen, line, rng)
    replays, copied = sources(seen, line, felt.happened[:, 0], clock, recipe.as_of)
    if replays.size:
        told, clock = replayed(told, replays, copied), moved(clock, replays, copied, length)
    came = arrive(seen, told, clock, rng)
    return _Part(seen, line, clock, felt, told, came, accounts(chunk, seen, clock, rng))


def _write_book(folder: Folder, part: _Part, broken: Outage | None, standard: Figures) -> None:
    seen, known, clock = part.seen, part.known, part.clock
    folder.lines("orders.jsonl", orders(seen, known))
    folder.lines("customers.jsonl", customers(known))
    folder.lines("grants.jsonl", grants(seen, known, clock))
    owed = owed_minor(seen, known, clock, part.felt, standard)
    folder.truth(sessions_truth(seen, known, clock, part.felt, broken))
    folder.truth(lines_truth(known, owed))


def _write_telemetry(folder: Folder, recipe: Recipe, part: _Part, rng: np.random.Generator) -> None:
    seen = part.seen
    if recipe.telemetry != "cmcd":
        frame, is_tv = beacons(seen, part.known.names, part.line, part.told, part.came, rng)
        # In a mixed night apps send text, and what televisions send is collected as Parquet.
        as_table = (
            is_tv if recipe.telemetry == "mixed" else pl.repeat(recipe.telemetry == "parquet", is_tv.len(), eager=True)
        )
        if as_table.any():
            folder.table("telemetry/beacons.parquet", frame.filter(as_table))
        if not as_table.all():
            folder.lines("telemetry/beacons.jsonl", frame.filter(~as_table))
    if recipe.telemetry in ("cmcd", "mixed"):
        folder.text("telemetry/cmcd.jsonl", cmcd_lines(seen, part.line, part.told, part.came, rng))


def _write_parcels(folder: Folder, recipe: Recipe, numbers: range, burning: Fire | None, standard: Figures) -> None:
    rng = recipe.random("journeys", numbers.start)
    sent = [travelled(parcel, burning, recipe.as_of, rng) for parcel in parcels(recipe, numbers)]
    files = {
        "orders.jsonl": order_lines(sent),
        "customers.jsonl": customer_lines(sent),
        "stock.jsonl": stock_lines(sent),
        "telemetry/easypost.jsonl": easypost_lines(sent),
        "telemetry/aftership.jsonl": aftership_lines(sent),
        "telemetry/scans.jsonl": canonical_lines(sent),
        "telemetry/contacts.jsonl": contact_lines(sent),
    }
    for name, lines in files.items():
        if text := "".join(f"{line}\n" for line in lines):
            folder.text(name, text.encode())
    mixed_up = mixups(sent)
    folder.truth(parcels_truth(sent, [due(each, mixed_up, recipe.as_of, standard) for each in sent]))
