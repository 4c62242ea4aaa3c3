"""Templates say; they neither reckon nor decide."""

import re
from pathlib import Path
from typing import Final

import pytest
from jinja2 import Environment, nodes

from detectors.playback.failures import Standard, standards
from remediation.policy.load import default_policy

ROOT: Final = Path(__file__).parents[2] / "templates" / "email"
TEMPLATES: Final = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.j2"))
RECKONING: Final = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow)
DECIDING: Final = (nodes.If, nodes.CondExpr, nodes.Compare, nodes.And, nodes.Or, nodes.Not)


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


@pytest.mark.parametrize("standard", standards(default_policy().playback), ids=lambda standard: standard.kind)
def test_a_body_states_only_figures_on_which_its_finding_rests(standard: Standard) -> None:
    body = (ROOT / standard.kind / "body.txt.j2").read_text(encoding="utf-8")

    assert set(re.findall(r"letter\.evidence\.(\w+)", body)) <= set(standard.figures)


def test_every_body_is_written_for_both_parts() -> None:
    bodies = {path.parent for path in ROOT.glob("*/body.*.j2")}

    assert bodies
    for folder in bodies:
        plain = (folder / "body.txt.j2").read_text(encoding="utf-8")
        page = (folder / "body.html.j2").read_text(encoding="utf-8")
        assert plain.replace("layout.txt.j2", "layout.html.j2") == page
