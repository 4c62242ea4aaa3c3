"""Templates say; they neither reckon nor decide."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

import pytest
from jinja2 import Environment, nodes

from detectors.finding import DeliveryKind, Kind, PlaybackKind
from detectors.playback.failures import Standard, standards
from remediation.policy.load import default_policy

ROOT: Final = Path(__file__).parents[2] / "templates" / "email"
TEMPLATES: Final = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.j2"))
RECKONING: Final = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow)
DECIDING: Final = (nodes.If, nodes.CondExpr, nodes.Compare, nodes.And, nodes.Or, nodes.Not)

GIVEN: Final[Mapping[Kind, frozenset[str]]] = {
    "late": frozenset({"promised_date", "delivered_date", "days_late"}),
    "lost": frozenset({"last_scan_at", "days_silent"}),
    "damaged": frozenset({"scanned_at", "reported_at"}),
    "returned": frozenset({"scanned_at"}),
    "delivered_not_received": frozenset({"delivered_at", "delivered_date", "reported_at"}),
    "misdelivered": frozenset({"distance_m", "delivered_at"}),
    "wrong_item": frozenset({"wrong_count", "reported_at"}),
}
"""Days and figures that delivery findings rest on, and that a customer can check."""


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_neither_reckons_nor_decides(name: str) -> None:
    jinja = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    jinja.newstyle_gettext = True  # type: ignore[attr-defined] # as the mails are rendered; the old style puts in a %
    tree = jinja.parse((ROOT / name).read_text(encoding="utf-8"))

    assert not list(tree.find_all((*RECKONING, *DECIDING)))


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_is_let_past_the_escaping(name: str) -> None:
    source = (ROOT / name).read_text(encoding="utf-8")

    assert "|safe" not in source.replace(" ", "")
    assert "autoescape" not in source


@pytest.mark.parametrize("kind", GIVEN)
def test_a_body_about_a_parcel_states_only_what_its_finding_or_the_order_says(kind: Kind) -> None:
    bodies = [path.read_text(encoding="utf-8") for path in (ROOT / kind).glob("*.txt.j2")]

    assert bodies
    for body in bodies:
        stated = set(re.findall(r"letter\.(?:evidence|days)\.(\w+)", body))
        assert stated
        assert stated <= GIVEN[kind] | {"ordered", "up_to"}


@pytest.mark.parametrize("standard", standards(default_policy().playback), ids=lambda standard: standard.kind)
def test_a_body_states_only_figures_on_which_its_finding_rests(standard: Standard) -> None:
    body = (ROOT / standard.kind / "body.txt.j2").read_text(encoding="utf-8")

    assert set(re.findall(r"letter\.evidence\.(\w+)", body)) <= set(standard.figures)


def test_every_body_is_written_for_both_parts() -> None:
    bodies = {path for kind in get_args(PlaybackKind) + get_args(DeliveryKind) for path in (ROOT / kind).iterdir()}

    assert {path.parent.name for path in bodies} == {*get_args(PlaybackKind), *get_args(DeliveryKind)}
    for body in bodies:
        plain = (body.parent / re.sub("(txt|html)", "txt", body.name)).read_text(encoding="utf-8")
        page = (body.parent / re.sub("(txt|html)", "html", body.name)).read_text(encoding="utf-8")
        assert plain.replace("layout.txt.j2", "layout.html.j2") == page


def test_every_deed_and_note_is_said_in_both_parts() -> None:
    for folder in ("done", "note"):
        parts = {
            part: {path.name.removesuffix(f".{part}.j2") for path in (ROOT / folder).glob(f"*.{part}.j2")}
            for part in ("txt", "html")
        }
        assert parts["txt"] == parts["html"]
        assert parts["txt"]
