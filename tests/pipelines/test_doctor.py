"""The doctor: everything it looks at is well here, and each thing is broken once to see that it is told."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine, text

from pipelines.commands.shared import clock
from pipelines.doctor import ledger as ledger_of_doctor
from pipelines.doctor.ledger import ledger_lines, skew_line
from pipelines.doctor.lines import Line, State, looked_at
from pipelines.doctor.machine import MADE_MS, clock_lines, disk_lines, kernel_is_in_step, zone_lines
from pipelines.doctor.setup import KNOWN, environment_lines, key_lines, policy_lines
from pipelines.doctor.streams import engine_lines, source_lines
from remediation.database import open_ledger, parse_url
from remediation.gateways.smtp_settings import Security
from remediation.gateways.stripe_refunds import StripeGateway
from remediation.gateways.targets import TargetError
from remediation.policy.load import default_text
from remediation.schema import HEAD
from tests.remediation.ledger.evenings import MORNING, record_night
from tests.support.command_line import Makegood, Ran, command_line
from tests.support.provider import Fault, InProcessGateway, Kind, Moment, Provider
from tests.support.real_smtp import LOGIN, Authority, real_server
from tests.support.scripted_smtp import HANGS_UP, scripted_server
from tests.support.stores import empty_file, open_store
from tests.support.warehouse import warehouse

ROOT: Final = Path(__file__).parents[2]
SECRET: Final = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"  # noqa: S105 - it opens nothing
OK, WARN, FAIL = State.OK, State.WARN, State.FAIL


@pytest.fixture
def url(tmp_path: Path) -> str:
    return empty_file(tmp_path / "ledger.db")


@pytest.fixture
def doctor(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    """The command on a ledger, with folders as the ways out unless something else is said."""
    monkeypatch.chdir(tmp_path)
    run: Makegood = command_line(monkeypatch, capsys)
    return lambda *more: run("doctor", f"--ledger={url}", *more)


def now() -> int:
    return MORNING


def states(lines: Iterator[Line]) -> dict[str, tuple[State, str]]:
    return {line.check: (line.state, f"{line.said} {line.to_do}".strip()) for line in lines}


def only(lines: Iterator[Line]) -> Line:
    (line,) = lines
    return line


# The whole


def test_what_is_well_is_said_to_be_and_nothing_is_changed(doctor: Callable[..., Ran], tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in tmp_path.rglob("*")}
    ran = doctor("--json")
    assert ran.code == 0
    told = {line["check"]: line["state"] for line in json.loads(ran.out)}
    assert told.pop("clock") in {"ok", "warn"}, "whether the network keeps it is this machine's affair"
    assert told == dict.fromkeys(
        [
            *("environment", "policy", "ledger", "database", "ledger clock", "ledger rights"),
            *("refunds", "goods", "mails", "time zones", "disk"),
        ],
        "ok",
    )
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if not path.name.endswith(("-wal", "-shm"))}
    assert after == before


def test_one_thing_that_fails_is_exit_code_1_and_says_what_to_do(doctor: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("[severity]\nmoderate_from = 'often'\n")
    ran = doctor("--policy=policy.toml", "--gateway=file:policy.toml")
    assert ran.code == 1
    failed = [line for line in ran.out.splitlines() if line.startswith("fail")]
    assert re.fullmatch(r"fail  policy: policy\.toml: playback: is missing: add it.*", failed[0])
    assert re.fullmatch(r"fail  refunds: NotADirectoryError.*policy\.toml.*", failed[1])
    assert len(failed) == 2
    assert "ok    mails: " in ran.out


def test_surveys_and_the_key_of_hold_outs_are_looked_at(
    doctor: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = default_text().decode().replace("enabled = false", "enabled = true").replace("percent = 0", "percent = 5")
    (tmp_path / "policy.toml").write_text(policy)
    monkeypatch.setenv("MAKEGOOD_SURVEY_URL", "https://shop.example/rate")
    ran = doctor("--policy=policy.toml")
    assert "fail  policy: the policy holds 5 % out from goodwill: set the environment variable" in ran.out
    assert "fail  surveys: a survey needs a secret: set the environment variable MAKEGOOD_UNSUBSCRIBE_URL" in ran.out
    monkeypatch.setenv("MAKEGOOD_HOLDOUT_KEY", "5a" * 32)
    monkeypatch.setenv("MAKEGOOD_SURVEY_KEYS", "5a" * 32)
    monkeypatch.setenv("MAKEGOOD_UNSUBSCRIBE_URL", "https://shop.example/off")
    ran = doctor("--policy=policy.toml")
    assert "fail" not in ran.out
    assert "ok    surveys: their links and keys can be used" in ran.out
    assert "5a5a" not in ran.out


def test_no_secret_is_ever_shown(doctor: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEGOOD_STRIPE_KEY", "sk_test_verysecret")
    monkeypatch.setenv("MAKEGOOD_STRIPE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("MAKEGOOD_SMTP_USER", "postman")
    monkeypatch.setenv("MAKEGOOD_SMTP_PASSWORD", "verysecret")
    monkeypatch.setenv("MAKEGOOD_GOODS_URL", "http://127.0.0.1:9/verysecret")
    monkeypatch.setenv("MAKEGOOD_GOODS_SECRETS", SECRET)
    for more in ((), ("--json",)):
        ran = doctor("--gateway=stripe", "--mailer=smtp+plain://127.0.0.1:9", "--goods=webhook", *more)
        assert ran.code == 1
        assert "MAKEGOOD_STRIPE_KEY" in ran.out
        assert "verysecret" not in ran.out + ran.err
        assert SECRET not in ran.out + ran.err
        assert len(re.findall(r'^fail|"state": "fail"', ran.out, re.MULTILINE)) == 3


@pytest.mark.parametrize(
    ("way", "check", "missing"),
    [
        ("--gateway=stripe", "refunds", "MAKEGOOD_STRIPE_KEY"),
        ("--goods=webhook", "goods", "MAKEGOOD_GOODS_URL"),
        ("--mailer=smtp://mail.example", "mails", "MAKEGOOD_SMTP_PASSWORD"),
    ],
)
def test_a_secret_that_is_missing_is_named(
    doctor: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, way: str, check: str, missing: str
) -> None:
    monkeypatch.setenv("MAKEGOOD_SMTP_USER", "postman")
    ran = doctor(way)
    assert re.search(rf"^fail  {check}: .* set the environment variable {missing}$", ran.out, re.MULTILINE)


# Set-up


def test_a_variable_that_nobody_reads_is_told_with_what_may_be_meant() -> None:
    lines = list(
        environment_lines({"MAKEGOOD_STRIPE_KEYS": "x", "MAKEGOOD_ACTOR": " ", "MAKEGOOD_LEDGER": "y", "A": ""})
    )
    assert [(line.state, line.said) for line in lines] == [
        (OK, "set: MAKEGOOD_ACTOR, MAKEGOOD_LEDGER"),
        (WARN, "MAKEGOOD_ACTOR is empty"),
        (WARN, "MAKEGOOD_STRIPE_KEYS is read by no command; MAKEGOOD_STRIPE_KEY is meant?"),
    ]


def test_every_variable_that_the_source_names_is_known() -> None:
    sources = [path for name in ("pipelines", "remediation") for path in (ROOT / name).rglob("*.py")]
    named = {found for path in sources for found in re.findall(r"\bMAKEGOOD_[A-Z_]*[A-Z]\b", path.read_text("utf-8"))}
    assert named == set(KNOWN)


def test_a_policy_and_keys_that_are_none_are_told_as_a_night_would(tmp_path: Path) -> None:
    assert only(policy_lines(None)).state is OK
    assert list(key_lines(None)) == []
    broken = tmp_path / "broken"
    broken.write_text("nonsense")
    for check, look in (("policy", policy_lines), ("beacon keys", key_lines)):
        (line,) = looked_at(check, lambda look=look: look(str(broken)))  # type: ignore[misc]
        assert (line.check, line.state) == (check, FAIL)
        assert str(broken) in line.said


# The ledger


def test_a_ledger_is_well(url: str) -> None:
    engine = open_ledger(url)
    record_night(engine)
    engine.dispose()
    found = states(ledger_lines(url, now))
    assert {state for state, _ in found.values()} == {OK}
    assert found["ledger"][1] == f"it can be reached, and its tables are of version {HEAD}"
    assert found["ledger clock"][1] == "last written to 2026-11-22 09:00:00 UTC"


def test_a_ledger_that_is_not_there_or_empty_is_made_by_the_first_night(tmp_path: Path) -> None:
    missing = only(ledger_lines(f"sqlite:///{tmp_path / 'none.db'}", now))
    assert (missing.state, list(tmp_path.iterdir())) == (WARN, [])
    sqlite3.connect(tmp_path / "empty.db").close()
    (tmp_path / "empty.db").touch()
    assert states(ledger_lines(f"sqlite:///{tmp_path / 'empty.db'}", now))["ledger"][0] is WARN


@pytest.mark.parametrize(("version", "to_do"), [("0001", "makegood migrate"), ("9999", "use a newer one")])
def test_a_ledger_of_another_version_is_told(url: str, version: str, to_do: str) -> None:
    with create_engine(url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    state, said = states(ledger_lines(url, now))["ledger"]
    assert (state, version in said, to_do in said) == (FAIL, True, True)


def test_what_is_no_ledger_or_cannot_be_reached_is_told(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE shoes (size)")
    connection.close()
    (tmp_path / "text.db").write_text("no database " * 1_000)
    for name, said in (
        (f"sqlite:///{tmp_path / 'shop.db'}", "is not a ledger but holds other tables"),
        (f"sqlite:///{tmp_path / 'text.db'}", "file is not a database"),
        ("postgresql://nobody:verysecret@127.0.0.1:1/none", "cannot be used"),
        ("mysql://host/name", "is neither a sqlite nor a postgresql database"),
    ):
        (line,) = looked_at("ledger", lambda name=name: ledger_lines(name, now))  # type: ignore[misc]
        assert (line.state, said in line.said, "verysecret" in line.said) == (FAIL, True, False), line


def test_a_ledger_that_cannot_be_written_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remediation.database.BUSY_TIMEOUT_S", 0)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        state, said = states(ledger_lines(url, now))["ledger rights"]
    assert (state, "database is locked" in said) == (FAIL, True)


@pytest.mark.servers
def test_a_server_is_asked_for_its_rights_its_version_and_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store("postgresql", tmp_path) as store, store.ledger() as owned:
        well = states(ledger_lines(owned, clock))
        assert {state for state, _ in well.values()} == {OK}
        assert well["database"][1].startswith("PostgreSQL 1")
        skewed = states(ledger_lines(owned, lambda: clock() - 60_000))
        assert skewed["database clock"][0] is FAIL
        engine = create_engine(parse_url(owned))
        with engine.begin() as connection:
            connection.execute(text("CREATE ROLE reader LOGIN"))
            connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"))
        reader = parse_url(owned).set(username="reader").render_as_string(hide_password=False)
        state, said = states(ledger_lines(reader, clock))["ledger rights"]
        assert (state, "may not write" in said, "outbox" in said, "GRANT" in said.upper()) == (FAIL, True, True, True)
        with engine.begin() as connection:
            connection.execute(text("DROP OWNED BY reader"))
            connection.execute(text("DROP ROLE reader"))
        engine.dispose()
        monkeypatch.setattr("pipelines.doctor.ledger.OLDEST_POSTGRES", 990_000)
        assert states(ledger_lines(owned, clock))["database"][0] is FAIL


def test_a_release_of_sqlite_that_can_corrupt_its_log_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    monkeypatch.setattr("pipelines.doctor.ledger.wal_is_safe", lambda _: False)
    state, said = states(ledger_lines(url, now))["database"]
    assert (state, "use SQLite 3.51.3" in said) == (FAIL, True)


def test_a_clock_before_the_ledgers_last_entry_is_told(url: str) -> None:
    engine = open_ledger(url)
    record_night(engine)
    engine.dispose()
    early = MORNING - ledger_of_doctor.MAX_BACK_MS
    assert states(ledger_lines(url, lambda: early))["ledger clock"][0] is OK
    state, said = states(ledger_lines(url, lambda: early - 1))["ledger clock"]
    assert (state, "the ledger was written to at 2026-11-22 09:00:00 UTC" in said) == (FAIL, True)


@pytest.mark.parametrize(
    ("theirs", "state"), [(1_000, OK), (1_500, OK), (4_000, OK), (4_001, FAIL), (-1_001, FAIL), (90_000, FAIL)]
)
def test_a_databases_clock_may_differ_by_two_seconds_and_how_long_asking_took(theirs: int, state: State) -> None:
    assert skew_line(theirs, 1_000, 2_000).state is state


# The ways out


def test_stripe_is_asked_for_a_list_and_for_nothing_else() -> None:
    provider = Provider()
    assert InProcessGateway(provider).try_out() == "Stripe lists refunds to a test key, with which no money moves"
    assert provider.effects() == []


def test_stripe_that_does_not_answer_or_not_accept_the_key_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Provider()
    provider.script({1: Fault(Kind.RATE_LIMITED, Moment.BEFORE)})
    (line,) = looked_at("refunds", lambda: [Line("refunds", OK, InProcessGateway(provider).try_out())])
    assert (line.state, "could not be looked up" in line.said) == (FAIL, True)
    monkeypatch.setenv("MAKEGOOD_STRIPE_KEY", "pk_test_public")
    (line,) = looked_at("refunds", lambda: [Line("refunds", OK, StripeGateway("pk_test_public").try_out())])
    assert (line.state, "begins with sk_ or rk_" in line.said) == (FAIL, True)


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.IMPLICIT_TLS])
def test_a_mail_server_is_greeted_encrypted_and_logged_in_to_and_gets_no_mail(
    doctor: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: Security
) -> None:
    authority = Authority.in_folder(tmp_path)
    monkeypatch.setenv("MAKEGOOD_SMTP_CA", str(authority.file))
    monkeypatch.setenv("MAKEGOOD_SMTP_USER", LOGIN.user)
    monkeypatch.setenv("MAKEGOOD_SMTP_PASSWORD", LOGIN.password)
    with real_server(security, authority.server_context(), needs_login=True) as server:
        where = f"--mailer={security}://localhost:{server.port}"
        well = doctor(where)
        monkeypatch.setenv("MAKEGOOD_SMTP_PASSWORD", "wrong horse")
        refused = doctor(where)
        monkeypatch.delenv("MAKEGOOD_SMTP_CA")
        strange = doctor(where)
    gone = doctor(where)
    assert re.search(r"^ok    mails: localhost:\d+ takes us, encrypted by \w+, with the login$", well.out, re.MULTILINE)
    assert "fail  mails: The mail server refused the login (535" in refused.out
    assert "fail  mails: The certificate of the mail server is not to be trusted" in strange.out
    assert "fail  mails: The mail server cannot be reached (ConnectionRefusedError)" in gone.out
    assert (server.mails, server.handler.senders_named) == ([], 0)


def test_a_mail_server_without_encryption_or_manners_is_told(doctor: Callable[..., Ran]) -> None:
    with scripted_server({}) as server:
        assert "offers no STARTTLS" in doctor(f"--mailer=smtp://127.0.0.1:{server.port}").out
    with scripted_server({"banner": HANGS_UP}) as server:
        assert "hung up" in doctor(f"--mailer=smtp+plain://127.0.0.1:{server.port}").out


def test_a_warehouse_is_reached_and_asked_for_nothing(
    doctor: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority.in_folder(tmp_path)
    monkeypatch.setenv("MAKEGOOD_GOODS_SECRETS", SECRET)
    monkeypatch.setenv("MAKEGOOD_GOODS_CA", str(authority.file))
    with warehouse(context=authority.server_context()) as house:
        monkeypatch.setenv("MAKEGOOD_GOODS_URL", f"https://localhost:{house.port}/orders")
        well = doctor("--goods=webhook")
        monkeypatch.delenv("MAKEGOOD_GOODS_CA")
        strange = doctor("--goods=webhook")
    gone = doctor("--goods=webhook")
    assert "can be reached by https; nothing was asked of it" in well.out
    assert "its certificate is not to be trusted" in strange.out
    assert "it cannot be reached (ConnectionRefusedError)" in gone.out
    assert house.requests == []


def test_a_target_that_is_none_is_told(doctor: Callable[..., Ran]) -> None:
    ran = doctor("--mailer=smtp://user:pass@mail.example", "--gateway=paypal")
    assert ran.out.count("fail") == 2
    assert "user:pass" not in ran.out
    assert issubclass(TargetError, ValueError)


# The machine


def test_a_clock_that_is_wrong_or_kept_by_nobody_is_told() -> None:
    assert only(clock_lines(MADE_MS, in_step=True)).state is OK
    assert only(clock_lines(MADE_MS, in_step=None)).state is OK
    assert only(clock_lines(MADE_MS, in_step=False)).state is WARN
    assert only(clock_lines(MADE_MS - 1, in_step=True)).state is FAIL
    assert kernel_is_in_step() in {True, False, None}


def test_time_zones_that_are_missing_or_wrong_are_told() -> None:
    assert only(zone_lines()).state is OK

    def nowhere(name: str) -> ZoneInfo:
        return ZoneInfo(f"Nowhere/{name}")

    missing = only(zone_lines(nowhere))
    assert (missing.state, missing.said.count("/")) == (FAIL, 3)
    without_summer = only(zone_lines(lambda name: ZoneInfo("Etc/GMT-9" if name == "Asia/Tokyo" else "Etc/UTC")))
    assert "Europe/London and America/New_York" in without_summer.said
    assert "Asia/Tokyo" not in without_summer.said


def test_a_disk_without_room_is_told(tmp_path: Path) -> None:
    assert only(disk_lines([("ledger", tmp_path / "not" / "there")])).state is OK
    full = only(disk_lines([("ledger", Path("/proc"))]))
    assert (full.state, full.to_do) == (FAIL, "make room")


def test_a_disk_that_fills_up_is_told_before_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.doctor.machine.ROOM_BYTES", 10**18)
    assert only(disk_lines([("ledger", tmp_path)])).state is WARN


# Streams


def test_a_stream_needs_its_source(tmp_path: Path) -> None:
    assert only(source_lines(f"dir:{tmp_path}")).state is OK
    assert only(source_lines(f"dir:{tmp_path}/none")).state is FAIL
    (line,) = looked_at("source", lambda: source_lines("tape:reel"))
    assert (line.state, "names no source of a stream" in line.said) == (FAIL, True)


def test_a_stream_needs_an_engine(tmp_path: Path) -> None:
    for program, said in (
        (tmp_path / "none", "is not there: run `make prism`"),
        (Path("/bin/false"), "does not start"),
    ):
        (line,) = looked_at("engine", lambda program=program: engine_lines("PrismRunner", str(program)))  # type: ignore[misc]
        assert (line.state, said in line.said) == (FAIL, True)
    assert only(engine_lines("FlinkRunner", find=lambda _: None)).state is FAIL
    assert only(engine_lines("FlinkRunner", find=lambda _: "/bin/false")).state is FAIL
    assert only(engine_lines("FlinkRunner", find=lambda _: "/bin/true")).state is OK
    assert only(engine_lines("DataflowRunner")).state is WARN


def test_an_engine_is_asked_for_only_where_a_stream_is(doctor: Callable[..., Ran], tmp_path: Path) -> None:
    assert not re.search(r"^\w+ +engine", doctor().out, re.MULTILINE)
    ran = doctor(f"--source=dir:{tmp_path}", "--runner=DataflowRunner")
    assert "warn  engine: DataflowRunner is not known here" in ran.out
