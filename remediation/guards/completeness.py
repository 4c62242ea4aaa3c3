"""Whether everything came that usually comes: no file missing, empty, far too small or far too large."""

from collections.abc import Iterator
from dataclasses import dataclass

from remediation.guards.figures import Figures, SourceFigures
from remediation.guards.history import History
from remediation.guards.reading import Reading, Said, near, read
from remediation.guards.rules import GuardRules, SourceRules
from remediation.report.formats import counted, one_line

_Key = tuple[str, str]


def completeness_readings(tonight: Figures, history: History, rules: GuardRules) -> Iterator[Reading]:
    """One reading for each source that came tonight or usually comes, and one for the order book."""
    here = {_key(source): source for source in tonight.sources}
    known = {_key(source) for night in history.recent for source in night.sources}
    for key in sorted(here.keys() | known):
        came = _Came(key, here.get(key), history, rules.sources, tonight.as_of)
        yield from came.readings()
    yield from _order_book(tonight, history, rules.sources)


@dataclass(frozen=True, slots=True)
class _Came:
    """One source tonight, null where it did not come, beside what is known of it."""

    key: _Key
    tonight: SourceFigures | None
    history: History
    rules: SourceRules
    as_of: int

    def readings(self) -> Iterator[Reading]:
        """The first thing that is out of the ordinary; else one reading of its size."""
        if self.tonight is None:
            if self._is_expected():
                yield self._absent("is missing tonight")
        elif not self.tonight.records:
            if not self._may_be_empty():
                yield self._absent("is empty tonight")
        else:
            yield self._files(self.tonight) or self._size(self.tonight)

    def _absent(self, what: str) -> Reading:
        bounds = self.history.bounds(self._records, self.as_of)
        usually = f", where usually {counted(round(bounds[0].value), 'record')} come" if bounds else ""
        advice = "what it would have said may clear those who are flagged, so get it and run the night again"
        least = self.rules.least_times * bounds[0].value if bounds else 1
        return read(
            "sources", " ".join(self.key), 0, least, Said(f"{self._name} {what}{usually}", advice), tripped=True
        )

    def _files(self, source: SourceFigures) -> Reading | None:
        """More or fewer files than always: one number or date of several is missing, or one was given twice."""
        before = [each.files for each in self._before() if each]
        always = len(before) >= self.history.rules.min_nights and len(set(before)) == 1
        if not always or source.files == before[0]:
            return None
        fact = f"{self._name} came in {counted(source.files, 'file')}, and in the last {len(before)} released nights "
        said = Said(
            f"{fact}always in {counted(before[0], 'file')}", "one may be missing or given twice, so look at their names"
        )
        return read("sources", " ".join(self.key), source.files, before[0], said, tripped=True)

    def _size(self, source: SourceFigures) -> Reading:
        bounds = self.history.bounds(self._records, self.as_of)
        here = f"{self._name} has {counted(source.records, 'record')} ({source.bytes:,} bytes)"
        if bounds is None:
            said = Said(f"{here}, and too few released nights say what is usual", "")
            return read("sources", " ".join(self.key), source.records, source.records, said, tripped=False)
        low, high = (usual.value for usual in bounds)
        least = self.rules.least_times * low if low >= self.rules.min_records else 0
        most = max(self.rules.most_times * high, self.rules.min_records)
        said = Said(
            f"{here}, and between {least:,.0f} and {most:,.0f} are ordinary",
            "part of it may be missing or there twice, so look where it comes from",
        )
        limit = least if source.records < least else most
        tripped = not least <= source.records <= most
        way = near(source.records, least, low) if source.records < low else near(source.records, most, high)
        return read("sources", " ".join(self.key), source.records, limit, said, tripped=tripped, near_ratio=way)

    def _is_expected(self) -> bool:
        before = self._before()
        present = sum(each is not None for each in before)
        return len(before) >= self.history.rules.min_nights and present >= self.rules.usual * len(before)

    def _may_be_empty(self) -> bool:
        """Whether it is known to be nearly empty, as a small shop's contacts are on a quiet day."""
        usual = self.history.usual(self._records)
        return usual is not None and usual.value < self.rules.empty_below

    def _before(self) -> tuple[SourceFigures | None, ...]:
        return tuple(_found(night, self.key) for night in self.history.recent)

    def _records(self, night: Figures) -> float | None:
        source = _found(night, self.key)
        return source.records if source else None

    @property
    def _name(self) -> str:
        role, name = self.key
        return f"the {role} source {one_line(name)}"


def _order_book(tonight: Figures, history: History, rules: SourceRules) -> Iterator[Reading]:
    """The order lines that are judged are those of half a year, so that their number hardly changes overnight."""
    usual = history.usual(lambda night: night.order_lines.units)
    if usual is None:
        return
    lines, least = tonight.order_lines.units, rules.order_lines_least_times * usual.value
    said = Said(
        f"{counted(lines, 'order line')} of goods were judged, and the median of {usual.nights} released nights is"
        f" {usual.value:,.0f}",
        "part of the order book is missing, so look at what was imported",
    )
    yield read("order_book", "", lines, least, said, tripped=lines < least, near_ratio=near(lines, least, usual.value))


def _key(source: SourceFigures) -> _Key:
    return source.role, source.name


def _found(night: Figures, key: _Key) -> SourceFigures | None:
    return next((source for source in night.sources if _key(source) == key), None)
