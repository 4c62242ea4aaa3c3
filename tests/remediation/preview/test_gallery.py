"""What hangs in the gallery, that its pages lead to all of it, and that it needs neither an engine nor a ledger."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

import pytest

from remediation.notices.catalogues import languages
from remediation.notices.telling import telling
from remediation.notices.tone import fitting
from remediation.orders import Voice
from remediation.preview.gallery import MAILS, Shown, every_mail, write_gallery
from remediation.preview.stories import Story, stories
from tests.remediation.notices.letters import SENDER
from tests.support.command_line import command_line

TEMPLATES: Final = Path(__file__).parents[3] / "templates" / "email"
APART: Final = {"done", "note", "subject", "survey"}
LANGUAGES: Final = sorted(languages())
LINK: Final = re.compile(r'(?:href|src)="([^"#]*)#?([^"]*)"')


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_way_of_telling_hangs_in_every_voice_that_it_bears(language: str) -> None:
    written = {
        (body.parent.name, body.name.removesuffix(".txt.j2"))
        for body in TEMPLATES.glob("*/*.txt.j2")
        if body.parent.name not in APART
    }
    told = [(story.finding, voice) for story in stories(language) for voice in story.voices]

    assert {(finding.kind, telling(finding)) for finding, _ in told} == written
    for voice in get_args(Voice):
        bearing = {(finding.kind, telling(finding)) for finding, _ in told if fitting(voice, [finding]) == voice}
        assert {(finding.kind, telling(finding)) for finding, spoken in told if spoken == voice} == bearing


def test_everything_that_can_be_done_is_told() -> None:
    done = {
        action.kind if action.service_level in (None, "standard") else f"{action.kind}_{action.service_level}"
        for story in stories("en")
        for action in story.actions
    } | {"correction" for story in stories("en") if story.corrected}

    assert done == {deed.name.removesuffix(".txt.j2") for deed in (TEMPLATES / "done").glob("*.txt.j2")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_mails_have_one_name(language: str) -> None:
    names = [(story.name, voice) for story in stories(language) for voice in story.voices]

    assert len(names) == len(set(names))


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> tuple[Shown, ...]:
    """A gallery of a few stories, two of them with hostile titles."""
    few = {"playback_stalls", "late", "done_everything", "title_markup", "title_style"}

    def fewer(language: str) -> Iterator[Story]:
        return (story for story in stories(language) if story.name in few)

    monkeypatch.setattr("remediation.preview.gallery.stories", fewer)
    return every_mail(SENDER, ["ar", "en"])


def test_the_pages_lead_to_every_mail_and_nowhere_else(mails: tuple[Shown, ...], tmp_path: Path) -> None:
    index = write_gallery(mails, tmp_path)

    linked: dict[Path, set[Path]] = {}
    for page in tmp_path.glob("*.html"):
        links = LINK.findall(page.read_text(encoding="utf-8"))
        linked[page] = {tmp_path / (name or page.name) for name, _ in links}
        for name, place in links:
            target = tmp_path / (name or page.name)
            assert target.is_file(), (page.name, name)
            assert not place or f'id="{place}"' in target.read_text(encoding="utf-8"), (page.name, place)
    assert {tmp_path / f"{shown.stem}.html" for shown in mails} <= linked[index]
    for shown in mails:
        files = {tmp_path / MAILS / f"{shown.stem}.{ending}" for ending in ("html", "txt", "eml")}
        assert files <= linked[tmp_path / f"{shown.stem}.html"], shown.stem


def test_what_is_written_is_what_would_be_sent(mails: tuple[Shown, ...], tmp_path: Path) -> None:
    write_gallery(mails, tmp_path)

    for shown in mails:
        written = tmp_path / MAILS / shown.stem
        assert written.with_name(f"{shown.stem}.html").read_text(encoding="utf-8") == shown.mail.html
        assert written.with_name(f"{shown.stem}.txt").read_text(encoding="utf-8") == shown.mail.text
        assert written.with_name(f"{shown.stem}.eml").read_bytes() == shown.message


def test_a_hostile_title_stays_words_in_the_gallerys_own_pages(mails: tuple[Shown, ...], tmp_path: Path) -> None:
    write_gallery(mails, tmp_path)

    assert {shown.story.section for shown in mails} >= {"titles"}
    for page in tmp_path.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<script" not in text
        assert "onerror=alert(1)>" not in text
        assert text.count("<style") == 1


def test_the_command_writes_the_languages_that_it_is_asked_for(
    mails: tuple[Shown, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("MAKEGOOD_MAIL_FROM", f"{SENDER.name} <{SENDER.address}>")
    monkeypatch.setenv("MAKEGOOD_MAIL_REPLY_TO", SENDER.reply_to)
    makegood = command_line(monkeypatch, capsys)

    english = [shown for shown in mails if shown.language == "en"]

    said = makegood("preview", "--out", tmp_path, "--language", "en")
    assert (said.code, said.out) == (0, f"{tmp_path / 'index.html'}: {len(english)} mails (en)\n")
    written = {path.name: path.read_bytes() for path in (tmp_path / MAILS).glob("*.eml")}
    assert written == {f"{shown.stem}.eml": shown.message for shown in english}
    wrong = makegood("preview", "--out", tmp_path, "--language", "tlh")
    assert (wrong.code, wrong.err) == (
        2,
        "makegood: --language tlh has no catalogue; there are ar, de, en, es, ja\n",
    )


def test_the_gallery_needs_neither_an_engine_nor_a_ledger() -> None:
    code = "import sys, remediation.preview.gallery; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert {"apache_beam", "polars", "sqlalchemy"}.isdisjoint(done.stdout.split())
