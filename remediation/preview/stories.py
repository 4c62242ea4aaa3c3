"""Which mails there are to look at: every failure, every deed, and what is hard to set."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from detectors.finding import Finding
from remediation.loyalty.asking import ask
from remediation.mail import Mail
from remediation.notices.rendering import render
from remediation.notices.tone import fitting
from remediation.orders import Voice
from remediation.preview.samples import (
    BOOK,
    DECAF,
    EVIDENCE,
    FILM,
    MINUTE,
    PLAYBACK,
    a_failure,
    a_remedy,
    an_order_line,
    every_failure,
)
from remediation.remedy import Action

Section = Literal["failures", "deeds", "figures", "titles", "survey"]

VOICES: Final[tuple[Voice, ...]] = get_args(Voice)

_SURVEY: Final = "5e1a3d2c-0f5b-5c7e-9a51-0c2a4b6d8e10"

HOMES: Final[Mapping[str, tuple[str, str]]] = {
    "en": ("en-US", "America/New_York"),
    "ja": ("ja-JP", "Asia/Tokyo"),
    "de": ("de-DE", "Europe/Berlin"),
    "es": ("es-ES", "Europe/Madrid"),
    "ar": ("ar-EG", "Africa/Cairo"),
}
"""Locale and time zone of a customer of each language; of any other, the language itself, and UTC."""

ELSEWHERE: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("en-GB", "en-IN"),
    "de": ("de-AT", "de-CH"),
    "es": ("es-MX", "es-AR"),
    "ar": ("ar-AE", "ar-MA"),
}
"""Other countries of a language, where the same figures are written in another way."""

REFUND: Final = Action("refund", 299)
PRICE: Final = Action("refund", 1_899)
SHIPPING: Final = Action("shipping_refund", 499)
CREDIT: Final = Action("credit", 300)
AGAIN: Final = Action("replacement", service_level="standard")
NEXT_DAY: Final = Action("replacement", service_level="next_day")
EXCHANGE: Final = Action("exchange")

_DEEDS: Final[Mapping[str, tuple[Action, ...]]] = {
    "refund": (PRICE,),
    "shipping": (SHIPPING,),
    "refund_and_shipping": (PRICE, SHIPPING),
    "credit": (CREDIT,),
    "refund_and_credit": (PRICE, CREDIT),
    "replacement": (AGAIN,),
    "replacement_next_day": (NEXT_DAY,),
    "exchange": (EXCHANGE,),
    "everything": (PRICE, SHIPPING, CREDIT, NEXT_DAY),
}

_TITLES: Final[Mapping[str, str]] = {
    "long": "The Strange and Entirely True History of a Parcel That Went Twice Around the World, by Way of Reykjavík",
    "longer_than_shown": "Tale upon Tale, " * 20,
    "unbroken": "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2,
    "short": "M",
    "digits": "1917",
    "arabic": "ألف ليلة وليلة: الجزء 2",
    "hebrew": "ואלס עם באשיר (2008)",
    "persian": "جدایی نادر از سیمین",
    "japanese": "千と千尋の神隠し",
    "korean": "기생충",
    "thai": "ลุงบุญมีระลึกชาติ",
    "mixed_directions": "Caramel سكر بنات (2007)",
    "emoji": "The 🎬 👩‍🚀 Movie 🇯🇵",
    "quotes": "“He said: «no»” & 'so on'",
    "markup": "</bdi></p><script>alert('x')</script><img src=x onerror=alert(1)>",
    "style": "</style><style>*{display:none}</style>",
    "jinja": "{{ 7 * 7 }}{% raw %}%(amount)s",
    "header": "Film\r\nBcc: evil@example.com",
    "encoded_word": "=?utf-8?B?DQpCY2M6IHRoaWVmQGV2aWwuZXhhbXBsZQ==?=",
    "overrides": "\u202egnp.elif\u202c \u2066x\u2069\u0000\u200b",
}
"""Titles come from a catalogue and can be anything; each must stay words in our sentence."""


@dataclass(frozen=True, slots=True)
class Story:
    """One thing that is told, in one language by one locale; `voices` are those that it bears."""

    name: str
    section: Section
    finding: Finding
    actions: tuple[Action, ...] = (REFUND,)
    title: str | Mapping[str, str] | None = None
    order_id: str = "D01-4417205"
    currency: str = "USD"
    voices: tuple[Voice, ...] = ("plain",)
    corrected: bool = False
    locale: str | None = None
    timezone: str | None = None

    def mail(self, language: str, voice: Voice) -> Mail:
        """The mail as the night renders it."""
        locale, timezone = HOMES.get(language, (language, "UTC"))
        return render(
            a_remedy([self.finding], self.actions, self.currency),
            [self.finding],
            an_order_line(self.title or _title(self.finding), self.order_id, self.currency),
            self.locale or locale,
            self.timezone or timezone,
            voice,
            corrected=self.corrected,
        )


class Survey(Story):
    """What is asked a week later, with the links as the ledger keeps them: placeholders."""

    def mail(self, language: str, voice: Voice) -> Mail:  # noqa: ARG002 it has one voice
        """The survey as `makegood loyalty invite` writes it."""
        locale, timezone = HOMES.get(language, (language, "UTC"))
        line = an_order_line(self.title or _title(self.finding), self.order_id, self.currency)
        return ask(_SURVEY, line, locale, timezone, self.finding.occurred_to)


def stories(language: str) -> Iterator[Story]:
    """Everything there is to tell in one language; no two have one name."""
    yield Survey("survey", "survey", a_failure("playback_stalls"))
    yield from _failures()
    yield from _deeds()
    yield from _figures()
    yield from (
        Story(f"in_{locale}", "figures", a_failure("misdelivered", _FAR), (Action("refund", 123_456),), locale=locale)
        for locale in ELSEWHERE.get(language, ())
    )
    yield from (
        Story(f"title_{name}", "titles", a_failure("playback_stalls"), title=title) for name, title in _TITLES.items()
    )


def _failures() -> Iterator[Story]:
    for name, finding in every_failure().items():
        actions = (REFUND,) if finding.kind in PLAYBACK else (PRICE, NEXT_DAY)
        voices = tuple(voice for voice in VOICES if fitting(voice, [finding]) == voice)
        yield Story(name, "failures", finding, (EXCHANGE,) if name == "wrong_item" else actions, voices=voices)


def _deeds() -> Iterator[Story]:
    for name, actions in _DEEDS.items():
        yield Story(f"done_{name}", "deeds", a_failure("wrong_item"), actions)
    told = (EXCHANGE, PRICE)
    yield Story("done_correction", "deeds", a_failure("wrong_item"), told, corrected=True, voices=VOICES)


_FAR: Final = {**EVIDENCE["misdelivered"], "distance_m": 1_234_567}


def _figures() -> Iterator[Story]:
    stalls = a_failure("playback_stalls")
    for currency, amount in {"JPY": 298, "KRW": 29_900, "KWD": 2_990, "EUR": 123_456_789, "INR": 12_345_600}.items():
        yield Story(f"in_{currency}", "figures", stalls, (Action("refund", amount),), currency=currency)
    for count, duration_ms in {1: 1_000, 2: 122_000, 11: 671_000, 100: 7_200_000, 1_234: 39_600_000}.items():
        counted = replace(stalls, evidence={"stall_count": count, "stall_ms": duration_ms})
        yield Story(f"{count}_stalls", "figures", counted)
    for count in (1, 2, 6):
        late = {**EVIDENCE["late"], "days_late": count}
        yield Story(f"{count}_days_late", "figures", a_failure("late", late), (SHIPPING,))
    yield Story("half_a_second", "figures", a_failure("slow_seeks", {"stall_after_seek_ms": 9_540}))
    night = replace(stalls, occurred_to=stalls.occurred_from + 16 * 60 * MINUTE)
    yield Story("past_midnight", "figures", night)
    yield Story("no_zone", "figures", stalls, timezone="Mars/Phobos")
    yield Story("order_of_digits", "figures", stalls, order_id="4417-205")
    yield Story("order_unbroken", "figures", stalls, order_id="ORDER" * 20)


def _title(finding: Finding) -> Mapping[str, str]:
    if finding.kind in PLAYBACK:
        return FILM
    return DECAF if finding.kind == "wrong_item" else BOOK
