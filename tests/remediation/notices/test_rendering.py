# ruff: noqa: RUF001 - other scripts have letters that look like Latin ones
"""What a mail says, in which language, and when none is written at all."""

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from babel import Locale
from jinja2 import DictLoader, UndefinedError

from detectors.finding import Finding, Kind
from remediation.notices.catalogues import languages, words
from remediation.notices.errors import NoticeError
from remediation.notices.rendering import render
from remediation.notices.templating import environment
from remediation.preview.samples import every_failure
from remediation.remedy import Action
from tests.remediation.notices.letters import a_finding, a_mail, a_remedy, an_order_line
from tests.remediation.notices.pages import Page

LANGUAGES = sorted(languages())
REFUND = Action("refund", 299)
SHIPPING = Action("shipping_refund", 100)
NEXT_DAY = Action("replacement", service_level="next_day")
EXCHANGE = Action("exchange")


def test_the_casablanca_mail_has_the_four_parts_of_the_original_and_nothing_else() -> None:
    mail = a_mail(locale="ja-JP")

    assert mail.language == "ja"
    assert mail.subject == "【お詫び】『カサブランカ』のご返金（$2.99）のお知らせ"
    noticed, fact, sorry, done, close = mail.text.strip().split("\n\n")
    assert noticed == "お客様が『カサブランカ』をご視聴の際、再生が途切れていたことを確認いたしました。"
    assert [line.strip() for line in fact.splitlines()] == [
        "再生停止3回、合計4分10秒",
        "2026年11月21日土曜日 21:04〜21:31（日本標準時）",
    ]
    assert "申し訳ございませんでした" in sorry
    assert "D01-4417205" in done
    assert "$2.99" in done
    assert "返金いたしました" in done
    assert close.endswith("重ねてお詫び申し上げます。")


def test_an_english_mail_says_what_has_been_done_in_the_past_tense() -> None:
    noticed, fact, sorry, done, _ = a_mail().text.strip().split("\n\n")

    assert noticed == "We noticed that “Casablanca” did not play smoothly when you watched it."
    assert [line.strip() for line in fact.splitlines()] == [
        "3 stalls, 4 min 10 s in all",
        "Saturday, November 21, 2026, between 9:04 PM and 9:31 PM, Japan Standard Time",
    ]
    assert sorry.startswith("We are sorry.")
    assert done.startswith("We have refunded $2.99 for your order D01-4417205")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("finding", every_failure().values(), ids=every_failure())
def test_text_and_html_say_the_same(finding: Finding, language: str) -> None:
    mail = a_mail(finding, locale=language, actions=(REFUND, SHIPPING, NEXT_DAY), corrected=True)
    page = Page(mail.html)

    assert _without_space(page.text) == _without_space(mail.text)
    assert (page.elements[0].tag, page.elements[0].attributes["lang"]) == ("html", language)
    assert page.elements[0].attributes["dir"] == ("rtl" if language == "ar" else "ltr")


@pytest.mark.parametrize(
    ("kind", "fact"),
    [
        ("playback_stalls", "3 stalls, 4 min 10 s in all"),
        ("slow_start", "12 s until the first picture"),
        ("playback_failed", "Playback failed"),
        ("low_quality", "In low quality for 12 min 5 s of 26 min 0 s"),
        ("slow_seeks", "25 s of waiting after moving to another scene"),
    ],
)
def test_every_kind_states_its_own_fact(kind: Kind, fact: str) -> None:
    assert fact in a_mail(a_finding(kind)).text


def test_one_stall_is_not_one_stalls() -> None:
    one = a_finding(evidence={"stall_count": 1, "stall_ms": 16_000})

    assert "1 stall, 16 s in all" in a_mail(one).text


@pytest.mark.parametrize(
    ("findings", "fact"),
    [
        pytest.param((a_finding("slow_start", severity=0.9), a_finding(severity=0.2)), "first picture", id="worst"),
        pytest.param((a_finding("low_quality"), a_finding("playback_failed")), "Playback failed", id="kind breaks tie"),
        pytest.param((a_finding("slow_start"), a_finding("slow_seeks")), "another scene", id="kind breaks tie again"),
    ],
)
def test_the_worst_failure_is_the_one_spoken_of(findings: tuple[Finding, ...], fact: str) -> None:
    assert fact in a_mail(*findings).text
    assert a_mail(*findings).text == a_mail(*reversed(findings)).text


def test_of_two_alike_the_earlier_is_spoken_of() -> None:
    evening = a_finding(session="evening")
    night = replace(
        a_finding(session="night", evidence={"stall_count": 9, "stall_ms": 90_000}),
        occurred_from=evening.occurred_from + 1,
    )

    assert "3 stalls" in a_mail(evening, night).text
    assert "3 stalls" in a_mail(night, evening).text


def test_a_name_that_a_template_misspells_is_an_error_not_a_gap() -> None:
    jinja = environment(words("en", "plain"), Locale("en"))

    with pytest.raises(UndefinedError):
        jinja.from_string("{{ letter.titel }}").render(letter={"title": "Casablanca"})


def test_templates_are_compiled_once_and_speak_every_language() -> None:
    english, japanese = (environment(words(language, "plain"), Locale(language)) for language in ("en", "ja"))
    layouts = [jinja.get_template("layout.txt.j2").root_render_func for jinja in (english, japanese)]
    assert layouts[0].__code__ is layouts[1].__code__

    figure = DictLoader({"wait.txt.j2": "{{ 5000|duration }}"})
    waits = [jinja.overlay(loader=figure).get_template("wait.txt.j2").render() for jinja in (english, japanese)]
    assert waits == ["5 s", "5秒"]


@pytest.mark.parametrize(
    ("locale", "language", "amount"),
    [
        ("ja-JP", "ja", "$2.99"),
        ("JA_jp", "ja", "$2.99"),
        ("en-GB", "en", "US$2.99"),
        ("fr-FR", "en", "$2.99"),
        ("xx-nowhere", "en", "$2.99"),
    ],
)
def test_a_language_without_a_catalogue_is_english_in_words_and_figures(
    locale: str, language: str, amount: str
) -> None:
    mail = a_mail(locale=locale)

    assert mail.language == language
    assert amount in mail.text


def test_a_time_zone_that_nobody_knows_is_utc_and_says_so() -> None:
    assert "between 12:04 PM and 12:31 PM, Coordinated Universal Time" in a_mail(timezone="Mars/Phobos").text


def test_a_mail_from_right_to_left_isolates_the_latin_title_the_order_and_the_amount() -> None:
    mail = a_mail(locale="ar", order_id="4417-205")
    html, sheet = (element for element in Page(mail.html).elements if "dir" in element.attributes)

    assert "«\u2068Casablanca\u2069»" in mail.text
    assert "\u20684417-205\u2069" in mail.text
    assert "\u2068\u200f2.99 US$\u200e\u2069" in mail.text
    assert "\u2068\u200f2.99 US$\u200e\u2069" in mail.subject
    assert {"Casablanca", "4417-205", "\u200f2.99 US$\u200e"} <= set(re.findall("<bdi[^>]*>([^<]*)</bdi>", mail.html))
    assert (html.attributes["dir"], sheet.attributes["dir"], sheet.light["text-align"]) == ("rtl", "rtl", "right")


def test_a_subject_still_shows_the_amount_after_a_long_title() -> None:
    title = "The Strange and Wonderful Tale of a Parcel That Went Around the World and Was Never Seen Again"
    mail = a_mail(title=title)

    assert mail.subject == (
        "Our apology for “The Strange and Wonderful Tale of a Parcel That Went Around…”, and your refund of $2.99"
    )
    assert f"“{title}”" in mail.text


def test_a_refund_with_a_credit_on_top_tells_both() -> None:
    mail = a_mail(actions=(Action("refund", 299), Action("credit", 100)))

    assert "We have refunded $2.99" in mail.text
    assert "We have added a credit of $1.00" in mail.text
    assert mail.subject.endswith("your refund of $2.99")


def test_a_credit_alone_is_not_called_a_refund() -> None:
    mail = a_mail(actions=(Action("credit", 100),))

    assert "refund" not in mail.subject + mail.text + mail.html
    assert mail.subject.endswith("your credit of $1.00")


def test_the_same_remedy_has_the_same_mail_and_the_same_id() -> None:
    assert a_mail() == a_mail()
    assert a_mail().message_id == a_mail(locale="ja").message_id
    assert len(a_mail().message_id) == 26


@pytest.mark.parametrize(
    ("evidence", "missing"),
    [
        ({"stall_count": 3}, "stall_ms"),
        ({"stall_count": 3, "stall_ms": None}, "stall_ms"),
        ({"stall_ms": 9}, "stall_count"),
    ],
)
def test_an_unknown_figure_is_not_written_as_zero(evidence: Mapping[str, int | None], missing: str) -> None:
    with pytest.raises(NoticeError, match=f"states a figure that its finding.s evidence lacks .*{missing}"):
        a_mail(a_finding(evidence=evidence))


def test_a_failure_without_a_template_has_no_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remediation.notices.rendering.telling", lambda _: "beyond_words")

    with pytest.raises(NoticeError, match="templates/email has no playback_stalls/beyond_words"):
        a_mail()


def test_a_service_level_without_words_has_no_mail() -> None:
    with pytest.raises(NoticeError, match="templates/email has no done/replacement_by_raven"):
        a_mail(actions=(REFUND, Action("replacement", service_level="by_raven")))


def test_what_a_person_writes_is_not_written_from_templates() -> None:
    with pytest.raises(NoticeError, match=r"templates/email has no .*letter"):
        a_mail(actions=(Action("letter"),))


@pytest.mark.parametrize("title", ["", " \u202e\x00 ", {}, {"ja": "\u200b"}], ids=ascii)
def test_a_mail_without_a_title_is_not_written(title: str | Mapping[str, str]) -> None:
    with pytest.raises(NoticeError, match="Order line line-1: its title is empty"):
        a_mail(title=title)


def test_a_mail_that_can_not_name_its_order_is_not_written() -> None:
    with pytest.raises(NoticeError, match="its order_id has no visible character"):
        a_mail(order_id="\u200b")


def test_a_mail_about_another_failure_is_not_written() -> None:
    with pytest.raises(NoticeError, match="rests on other findings"):
        render(a_remedy(a_finding()), [a_finding(session="another")], an_order_line(), "en", "UTC", "plain")


def test_a_mail_without_a_finding_is_not_written() -> None:
    with pytest.raises(NoticeError, match="rests on other findings"):
        render(a_remedy(a_finding()), [], an_order_line(), "en", "UTC", "plain")


def test_a_mail_in_another_currency_than_the_order_is_not_written() -> None:
    with pytest.raises(NoticeError, match="is not for order line line-1"):
        render(a_remedy(a_finding()), [a_finding()], an_order_line(currency="JPY"), "en", "UTC", "plain")


def test_a_mail_whose_amounts_do_not_sum_to_the_ledgers_is_not_written() -> None:
    remedy = replace(a_remedy(a_finding()), amount=298)

    with pytest.raises(NoticeError, match="must be above zero and sum to 298"):
        render(remedy, [a_finding()], an_order_line(), "en", "UTC", "plain")


@pytest.mark.parametrize(
    "actions",
    [
        (),
        (Action("refund", 0),),
        (Action("refund"), NEXT_DAY),
        (Action("refund", 300), Action("credit", -1)),
    ],
    ids=["nothing", "zero", "unknown", "negative"],
)
def test_a_mail_about_money_that_is_none_is_not_written(actions: tuple[Action, ...]) -> None:
    with pytest.raises(NoticeError, match="must be above zero"):
        a_mail(actions=actions)


def test_a_mail_about_goods_with_a_price_is_not_written() -> None:
    remedy = replace(a_remedy(a_finding(), actions=(REFUND, Action("exchange", 100))), amount=299)

    with pytest.raises(NoticeError, match="and only theirs, must be above zero"):
        render(remedy, [a_finding()], an_order_line(), "en", "UTC", "plain")


def _without_space(text: str) -> str:
    """The words alone; what text says by isolates, HTML says by elements."""
    return "".join(text.translate({0x2068: None, 0x2069: None}).split())
