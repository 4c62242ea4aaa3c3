"""The gallery: every mail as it is sent, and pages that show it on a telephone and a desk, by day and by night."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from babel import Locale
from jinja2 import Environment, PackageLoader, StrictUndefined

from remediation.mail import Mail
from remediation.notices.envelope import Sender, address
from remediation.orders import Voice
from remediation.preview.stories import Section, Story, stories

WIDTHS: Final = {"phone": 375, "desktop": 800}
"""CSS pixels of the two frames in which a mail is shown."""

RECIPIENT: Final = "customer@example.com"
MAILS: Final = "mails"
"""The folder of the messages themselves. Nothing is removed: who wants an empty folder names one."""


@dataclass(frozen=True)
class Shown:
    """One mail of the gallery. Every page lies beside the others, so that a name is also a link."""

    story: Story
    language: str
    voice: Voice
    mail: Mail
    message: bytes

    @property
    def stem(self) -> str:
        """What its files are called, without their endings."""
        return f"{self.language}.{self.story.name}.{self.voice}"

    @property
    def wall(self) -> str:
        """The part of the index in which it hangs."""
        return f"{self.language}-{self.story.section}"

    @property
    def language_name(self) -> str:
        """The language for a person who reads English."""
        return str(Locale.parse(self.language).english_name)

    @property
    def label(self) -> str:
        """The story's name for a person."""
        return self.story.name.replace("_", " ")

    @property
    def direction(self) -> str:
        """In which direction its language is read."""
        return Locale.parse(self.language).text_direction

    def is_kin(self, other: "Shown") -> bool:
        """Whether another mail of the story is in this language or in this voice."""
        return other.language == self.language or other.voice == self.voice


def every_mail(sender: Sender, only: Collection[str]) -> tuple[Shown, ...]:
    """Every story in the languages `only` and in every voice that it bears, as a night renders and addresses it.

    Raises:
      NoticeError: A mail cannot be written, or the sender is none.
    """
    return tuple(
        Shown(story, language, voice, mail := story.mail(language, voice), bytes(address(mail, RECIPIENT, sender)))
        for language in only
        for story in stories(language)
        for voice in story.voices
    )


def write_gallery(mails: Sequence[Shown], out: Path) -> Path:
    """Writes every mail (`.eml`, and its two parts) and its pages below `out`; returns the page to open first."""
    folder = out / MAILS
    folder.mkdir(parents=True, exist_ok=True)
    told: dict[str, list[Shown]] = {}
    for shown in mails:
        told.setdefault(shown.story.name, []).append(shown)
    pages = _pages()
    sheet = pages.get_template("sheet.html.j2")
    for before, shown, after in zip((None, *mails[:-1]), mails, (*mails[1:], None), strict=True):
        (folder / f"{shown.stem}.eml").write_bytes(shown.message)
        (folder / f"{shown.stem}.txt").write_text(shown.mail.text, encoding="utf-8")
        (folder / f"{shown.stem}.html").write_text(shown.mail.html, encoding="utf-8")
        alike = [other for other in told[shown.story.name] if shown.is_kin(other)]
        page = sheet.render(shown=shown, before=before, after=after, alike=alike, widths=WIDTHS)
        (out / f"{shown.stem}.html").write_text(page, encoding="utf-8")
    index = out / "index.html"
    index.write_text(pages.get_template("index.html.j2").render(languages=_walls(mails)), encoding="utf-8")
    return index


def _walls(mails: Sequence[Shown]) -> dict[str, dict[Section, list[Shown]]]:
    """The mails by language and section, in their order."""
    walls: dict[str, dict[Section, list[Shown]]] = {}
    for shown in mails:
        walls.setdefault(shown.language_name, {}).setdefault(shown.story.section, []).append(shown)
    return walls


def _pages() -> Environment:
    return Environment(
        loader=PackageLoader("templates", "preview"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
