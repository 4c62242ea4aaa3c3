"""One story through the command line: six people who saw no film, half of them with goodwill, asked a week later."""

import csv
import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

import pytest

from remediation.database import open_ledger
from remediation.imports import import_orders
from remediation.policy.load import default_text
from tests.support.command_line import Makegood, command_line
from tests.support.running import FIXTURES, text_of

STORY: Final = FIXTURES / "goodwill_or_not"
ENVIRONMENT: Final = {
    "MAKEGOOD_HOLDOUT_KEY": "f2a580ac69624258784983f642cf47df72d7d3eb9dd6c4772df0a02b7e11b409",
    "MAKEGOOD_SURVEY_KEYS": "5a" * 32,
    "MAKEGOOD_SURVEY_URL": "https://shop.example/rate",
    "MAKEGOOD_UNSUBSCRIBE_URL": "https://shop.example/off",
}
CHANGES: Final = (
    ("[goodwill]", "enabled = false", "enabled = true"),
    ("[goodwill]", "holdout_percent = 0", "holdout_percent = 50"),
    ("[survey]", "enabled = false", "enabled = true"),
)


@pytest.fixture
def makegood(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Makegood:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MAKEGOOD_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setenv("MAKEGOOD_ACTOR", "ada")
    monkeypatch.chdir(tmp_path)
    return command_line(monkeypatch, capsys)


def expected() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((STORY / "expected" / "loyalty.json").read_text())
    return found


def a_policy(folder: Path) -> Path:
    """The default policy with goodwill, hold-outs and surveys."""
    text = default_text().decode()
    for section, old, new in CHANGES:
        before, after = text.split(f"\n{section}\n")
        text = f"{before}\n{section}\n{after.replace(old, new, 1)}"
    (folder / "policy.toml").write_text(text)
    return folder / "policy.toml"


def a_night(makegood: Makegood, tmp_path: Path) -> None:
    books = (f"--{name}={STORY / name}.jsonl" for name in ("orders", "customers", "grants"))
    moment = (STORY / "as_of").read_text().strip()
    ran = makegood(
        "nightly", f"--telemetry={STORY / 'telemetry'}", *books, f"--as-of={moment}", f"--policy={a_policy(tmp_path)}"
    )
    assert ran.code == 0, ran.err
    # A fifth on top for Anna, Chie and Elena: 3.60 GBP, 600 JPY and 4.80 EUR; Ben, Dora and Farid get what they paid.
    assert "to be paid   8.80 EUR, 6.60 GBP, 600 JPY and 10.00 USD" in ran.out
    assert "held back    nothing" in ran.out


def dispatched(makegood: Makegood, moment: str) -> str:
    ran = makegood("dispatch", "--now", moment)
    assert ran.code == 0, ran.err
    return ran.out


def give_credits(makegood: Makegood) -> int:
    """What a person does who has the right to give credits."""
    waiting = [line.split()[0] for line in makegood("review", "list").out.splitlines() if "  credit " in line]
    for item in waiting:
        assert makegood("review", "done", item, "--reason", "added", "--reference", "ledger of credits").out == "done\n"
    return len(waiting)


def surveys(folder: Path) -> dict[str, EmailMessage]:
    """The surveys in the outbox of mails, by recipient."""
    mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in folder.glob("*.eml")]
    return {str(mail["To"]): mail for mail in mails if mail["List-Unsubscribe"]}


def clicked(name: str, mails: Mapping[str, EmailMessage]) -> str:
    """What the service's page writes down: the token of the link instead of whose order it was."""
    rows = list(csv.DictReader((STORY / "later" / name).read_text().splitlines()))
    for row in rows:
        mail = mails[f"{row.pop('order_line_id').removeprefix('line-')}@example.com"]
        (token,) = set(re.findall(r"token=([\w-]{43})", text_of(mail)))
        row["token"] = token
    return "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows), ""])


def test_six_people_one_failure_and_a_fair_comparison(makegood: Makegood, tmp_path: Path) -> None:
    story = expected()
    a_night(makegood, tmp_path)
    explained = {line: makegood("explain", line).out for line in lines(tmp_path)}
    assert {line for line, told in explained.items() if "withheld from this customer" in told} == set(story["held_out"])
    assert all("100 % of the" in told for told in explained.values())

    assert "mails: 3 sent, 3 waiting" in dispatched(makegood, "2026-11-22T09:00:00Z")
    assert give_credits(makegood) == 3
    assert "mails: 3 sent" in dispatched(makegood, "2026-11-22T09:05:00Z")
    policy_file = str(tmp_path / "policy.toml")
    early = makegood("loyalty", "invite", "--policy", policy_file, "--now", "2026-11-29T09:04:00Z")
    assert early.out == "3 invited\n"
    assert makegood("loyalty", "invite", "--policy", policy_file, "--now", "2026-11-30T09:00:00Z").out == "3 invited\n"
    assert makegood("loyalty", "invite", "--policy", policy_file, "--now", "2026-11-30T09:00:00Z").out == "0 invited\n"
    assert "surveys: 6 sent" in dispatched(makegood, "2026-11-30T09:00:00Z")
    assert "surveys" not in dispatched(makegood, "2026-11-30T10:00:00Z")

    mails = surveys(tmp_path / "outbox" / "mail")
    assert len(mails) == 6
    assert mails["chie@example.com"]["Subject"] == "当サービスをお薦めいただけますか"
    assert mails["dora@example.com"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    replies(makegood, tmp_path, mails)

    engine = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    with (STORY / "later" / "orders.jsonl").open("rb") as orders:  # as the nights after bring them in
        assert import_orders(engine, orders, "orders.jsonl").changed == 3
    engine.dispose()
    compared(makegood("loyalty", "--json", "--now", "2027-03-01T00:00:00Z").out, story)
    told = makegood("loyalty", "--now", "2027-03-01T00:00:00Z").out
    assert "too few to tell" in told
    assert not [word for word in ("anna", "customer", "line-", "example.com") if word in told.replace("customers", "")]
    verified = makegood("verify", "--now", "2027-03-01T00:00:00Z")
    assert (verified.code, "none of them broken" in verified.out) == (0, True), verified.out


def replies(makegood: Makegood, folder: Path, mails: Mapping[str, EmailMessage]) -> None:
    answers, off, bad = folder / "answers.csv", folder / "off.csv", folder / "bad.jsonl"
    answers.write_text(clicked("answers.csv", mails))
    off.write_text(clicked("unsubscribed.csv", mails))
    bad.write_text(f'{{"token": "{"A" * 43}", "score": 9, "answered_at": 1}}\n')
    now = ("--now", "2026-12-01T00:00:00Z")
    assert makegood("loyalty", "import", answers, *now).out == "answers: 5 taken, 0 known before, 0 rejected\n"
    again = makegood("loyalty", "import", answers, bad, *now)
    assert again.out == "answers: 0 taken, 5 known before, 1 rejected\n"
    assert again.err.startswith(f"{bad}, line 1, field token: unknown_token")
    assert makegood("loyalty", "unsubscribe", off, *now).out == "unsubscriptions: 1 taken, 0 known before, 0 rejected\n"


def compared(text: str, story: Mapping[str, Any]) -> None:
    found = json.loads(text)
    for arm in ("goodwill", "holdout"):
        assert {name: found[arm][name] for name in story[arm] if name != "returned"} == {
            name: value for name, value in story[arm].items() if name != "returned"
        }
        assert [{**each, "share": None} for each in found[arm]["returned"]] == [
            {**each, "share": None} for each in story[arm]["returned"]
        ]
    for groups in ("by_kind", "by_remedy"):
        assert {
            name: {figure: group[figure] for figure in ("customers", "asked", "answered")}
            for name, group in found[groups].items()
        } == story[groups]
    assert [each["verdict"] for each in found["comparisons"]] == story["verdicts"]


def lines(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "ledger.db")) as database:
        return [row[0] for row in database.execute("select order_line_id from remedies order by 1")]
