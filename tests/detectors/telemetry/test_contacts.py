import pytest

from tests.detectors.telemetry.reading import Json, Read, a_contact, jsonl


def test_a_contact_keeps_what_it_says() -> None:
    contact = a_contact(
        topic="wrong_item", order_line_id="l-1", language="ja", voice="playful", received_item_id="coffee"
    )

    assert Read(jsonl([contact])).contact() == contact


def test_what_the_customer_wrote_is_left_out_and_counted() -> None:
    read = Read(jsonl([a_contact(text="I am Rick, it is not here"), a_contact(contact_id="k-2")]))

    assert read.contacts["contact_id"].to_list() == ["k-1", "k-2"]
    assert read.ignored == [("text", "unknown_field", 1)]
    assert "Rick" not in read.rejects.write_csv() + read.contacts.write_csv()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param({"contact_id": None}, "missing_field", id="no id"),
        pytest.param({"customer_id": ""}, "missing_field", id="no customer"),
        pytest.param({"event_time": "yesterday"}, "bad_time", id="no time"),
        pytest.param({"topic": None}, "missing_field", id="no topic"),
        pytest.param({"topic": "weather"}, "unknown_value", id="no such topic"),
        pytest.param({"order_line_id": 7}, "wrong_type", id="line as a number"),
        pytest.param({"voice": "x" * 201}, "id_too_long", id="endless voice"),
    ],
)
def test_a_faulty_contact_is_rejected_alone_and_says_why(fields: dict[str, Json], code: str) -> None:
    read = Read(jsonl([a_contact(contact_id="before"), a_contact(**fields), a_contact(contact_id="after")]))

    assert read.contacts["contact_id"].to_list() == ["before", "after"]
    assert read.rejects.select("code", "field", "line").rows() == [(code, next(iter(fields)), 2)]


def test_a_contact_that_names_a_session_is_no_beacon() -> None:
    read = Read(jsonl([a_contact(topic="poor_playback", session_id="s-1")]))

    assert read.contacts.height == 1
    assert read.ignored == [("session_id", "unknown_field", 1)]


@pytest.mark.parametrize("name", ["language", "voice"])
def test_what_is_no_language_and_no_voice_is_left_out_of_the_evidence(name: str) -> None:
    """It may be anything that the customer wrote; the contact itself counts."""
    good, odd = {"language": "pt-BR", "voice": "warm"}, "I am Ilsa Lund"
    read = Read(jsonl([a_contact(**good), a_contact(contact_id="k-2", **{**good, name: odd})]))

    assert read.contacts[name].to_list() == [good[name], None]
    assert read.ignored == [(name, "unknown_value", 1)]
    assert odd not in read.rejects.write_csv()
