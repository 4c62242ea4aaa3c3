import json
from io import BytesIO

import pytest
from sqlalchemy import Engine

from remediation.imports import (
    Imported,
    adopt_customers,
    adopt_orders,
    import_customers,
    import_grants,
    import_orders,
)
from remediation.ledger.book import SqlBook
from remediation.ledger.tables import CUSTOMERS, ORDER_LINES
from remediation.lines import MAX_LINE_BYTES
from remediation.orders import Customer, Grant, OrderLine, ShipTo
from tests.remediation.ledger.evenings import (
    a_customer,
    a_remedy,
    an_order,
    json_lines,
    owed,
    record_night,
    rows,
    with_orders,
)

FULL_ORDER = an_order(
    kind="goods",
    title={"en": "Casablanca", "ja": "カサブランカ"},
    quantity=2,
    shipping_minor=500,
    payment_id="pay-1",
    purchased_at="2026-11-21T20:00:00+09:00",
    available_until=1_795_400_000_000,
    promised_date="2026-11-24",
    tracking_number="TN-1",
    carrier="post",
    ship_to={"country": "JP", "lat": 35.68, "lon": 139.76},
)


def orders_of(text: str | bytes, ledger: Engine) -> Imported:
    return import_orders(ledger, BytesIO(text.encode() if isinstance(text, str) else text), "orders.csv")


def the_only_reject(imported: Imported) -> tuple[int, str | None, str]:
    (reject,) = imported.rejects
    return reject.line, reject.field, reject.reason


def test_an_order_comes_back_as_it_was_written(ledger: Engine) -> None:
    imported = import_orders(ledger, json_lines(FULL_ORDER), "orders.jsonl")
    assert imported == Imported(rows=1, changed=1, duplicates=0, rejects=())
    assert SqlBook(ledger).order_lines(["OL-1"]) == {"OL-1": OrderLine.model_validate_json(json.dumps(FULL_ORDER))}


def test_the_same_file_again_changes_nothing(ledger: Engine) -> None:
    import_orders(ledger, json_lines(FULL_ORDER, an_order("OL-2")), "orders.jsonl")
    again = import_orders(ledger, json_lines(FULL_ORDER, an_order("OL-2")), "orders.jsonl")
    assert again == Imported(rows=2, changed=0, duplicates=0, rejects=())


def test_a_corrected_order_replaces_the_old_one(ledger: Engine) -> None:
    with_orders(ledger, an_order(), an_order("OL-2"))
    assert with_orders(ledger, an_order(title={"ja": "カサブランカ"}), an_order("OL-2")).changed == 1
    assert SqlBook(ledger).order_lines(["OL-1"])["OL-1"].title == {"ja": "カサブランカ"}


def test_customers_and_grants_are_imported_likewise(ledger: Engine) -> None:
    customer = a_customer(name="Rick", locale="ja-JP", timezone="Asia/Tokyo", voice="warm")
    grant = {"session_id": "S-1", "customer_id": "C-1", "order_line_id": "OL-1", "granted_at": 1}
    assert import_customers(ledger, json_lines(customer), "customers.jsonl").changed == 1
    assert import_grants(ledger, json_lines(grant), "grants.jsonl").changed == 1
    assert SqlBook(ledger).customers(["C-1"]) == {"C-1": Customer.model_validate(customer)}
    assert SqlBook(ledger).grants(["S-1"]) == {"S-1": (Grant.model_validate(grant),)}


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        ("not json", None, "is not one JSON object"),
        ('["OL-9"]', None, "is not one JSON object"),
        ('{"order_line_id": "OL-9"', None, "is not one JSON object"),
        (json.dumps(an_order("OL-9", amount_minor="2.99")), "amount_minor", "input should be a valid integer"),
        (json.dumps(an_order("OL-9", amount_minor=2.99)), "amount_minor", "input should be a valid integer"),
        (json.dumps(an_order("OL-9", amount_minor=-1)), "amount_minor", "input should be greater than or equal to 0"),
        (json.dumps(an_order("OL-9", amount_minor=float("nan"))), "amount_minor", "input should be a valid integer"),
        (json.dumps(an_order("OL-9", currency="usd")), "currency", "string should match pattern '^[A-Z]{3}$'"),
        (json.dumps(an_order("OL-9\n")), "order_line_id", "string should match pattern"),
        (json.dumps(an_order("OL-9", purchased_at="21 Nov, rick@example.com")), "purchased_at", "is not a time"),
        (json.dumps(an_order("OL-9", purchased_at="2026-11-21T20:00:00")), "purchased_at", "is not a time"),
        (json.dumps(an_order("OL-9", ship_to={"country": "Japan"})), "ship_to.country", "string should match"),
        (json.dumps(an_order("OL-9", discount=1)), "discount", "is not a field of this record"),
        (json.dumps(an_order("OL-9") | {"rick@example.com": 1}), None, "is not a field of this record"),
        (json.dumps(an_order("OL-9", title="Casablanca\0")), None, "holds a NUL character"),
        (json.dumps(an_order("OL-9"))[:-1] + ', "amount_minor" : 1}', None, "names a field twice"),
        (json.dumps(an_order("OL-9"))[:-1] + ', "amount\\u005fminor": 1}', None, "names a field twice"),
        (
            json.dumps(an_order("OL-9", title={"en": "A"})).replace('"en"', '"en": "B", "en"'),
            None,
            "names a field twice",
        ),
        (json.dumps(an_order("OL-9", title="x" * MAX_LINE_BYTES)), None, "is longer than 1,048,576 bytes"),
    ],
    ids=lambda value: value[-40:] if isinstance(value, str) else None,
)
def test_a_bad_row_is_rejected_with_its_line_and_its_neighbours_are_kept(
    ledger: Engine, line: str, field: str | None, reason: str
) -> None:
    text = f"\n{json.dumps(an_order('OL-1'))}\n{line}\n{json.dumps(an_order('OL-2'))}"
    imported = orders_of(text, ledger)
    assert the_only_reject(imported)[:2] == (3, field)
    assert the_only_reject(imported)[2].startswith(reason)
    assert (imported.rows, imported.changed) == (3, 2)
    assert "rick" not in repr(imported)


def test_bytes_that_are_not_text_spoil_their_row_only(ledger: Engine) -> None:
    good = json.dumps(an_order()).encode()
    imported = orders_of(good + b"\n" + good.replace(b"OL-1", b"OL-2").replace(b"Casa", b"\xff"), ledger)
    assert the_only_reject(imported) == (2, None, "is not one JSON object")


def test_an_address_that_is_none_is_not_repeated(ledger: Engine) -> None:
    imported = import_customers(ledger, json_lines(a_customer(email="rick at example")), "customers.jsonl")
    assert the_only_reject(imported) == (1, "email", "is not an e-mail address")


def test_equal_rows_are_duplicates_and_contradicting_rows_are_all_refused(ledger: Engine) -> None:
    imported = with_orders(
        ledger,
        an_order("OL-1"),
        an_order("OL-2"),
        an_order("OL-1"),
        an_order("OL-2", amount_minor=9_999),
        an_order("OL-3"),
    )
    assert (imported.rows, imported.changed, imported.duplicates) == (5, 2, 1)
    assert [(reject.line, reject.field) for reject in imported.rejects] == [(2, "order_line_id"), (4, "order_line_id")]
    assert imported.rejects[0].reason.startswith("duplicate_id:")
    assert [row["order_line_id"] for row in rows(ledger, ORDER_LINES)] == ["OL-1", "OL-3"]


def test_a_contradiction_is_found_however_far_apart_it_stands(ledger: Engine) -> None:
    many = [an_order(f"OL-{number}") for number in range(11_000)]
    imported = with_orders(ledger, *many, an_order("OL-0", currency="JPY"))
    assert [reject.line for reject in imported.rejects] == [1, 11_001]
    assert imported.changed == 10_999


def test_what_a_remedy_rests_on_stays_and_the_rest_may_be_corrected(ledger: Engine) -> None:
    with_orders(ledger, an_order())
    record_night(ledger, owed(a_remedy()))
    for change in ({"amount_minor": 1}, {"shipping_minor": 1}, {"currency": "EUR"}, {"customer_id": "C-2"}):
        imported = with_orders(ledger, an_order(**change))
        assert the_only_reject(imported)[2].startswith("conflicts_with_ledger:"), change
        assert imported.changed == 0
    assert with_orders(ledger, an_order(title="Casablanca (1942)")).changed == 1
    (line,) = rows(ledger, ORDER_LINES)
    assert (line["amount_minor"], line["owed_minor"], line["title"]) == (299, 299, "Casablanca (1942)")


def test_a_line_of_an_unknown_customer_is_kept(ledger: Engine) -> None:
    assert import_orders(ledger, json_lines(an_order(customer_id="C-404")), "orders.jsonl").changed == 1
    assert rows(ledger, CUSTOMERS) == []


FLAT = """\ufefforder_line_id,order_id,customer_id,kind,item_id,title.en,title.ja,quantity,amount_minor,shipping_minor,\
currency,payment_id,purchased_at,available_until,promised_date,tracking_number,carrier,ship_to.country,ship_to.lat,ship_to.lon
OL-1,O-1,C-1,goods,casablanca,Casablanca,カサブランカ,2,299,500,USD,pay-1,2026-11-21T20:00:00+09:00,1795400000000,\
2026-11-24,TN-1,post,JP,35.68,139.76
"""
NESTED = """order_line_id,order_id,customer_id,kind,item_id,title_json,quantity,amount_minor,shipping_minor,\
currency,payment_id,purchased_at,available_until,promised_date,tracking_number,carrier,ship_to_json
OL-1,O-1,C-1,goods,casablanca,"{""en"": ""Casablanca"", ""ja"": ""カサブランカ""}",2,299,500,USD,pay-1,\
2026-11-21T20:00:00+09:00,1795400000000,2026-11-24,TN-1,post,"{""country"":""JP"",""lat"":35.68,""lon"":139.76}"
"""


@pytest.mark.parametrize("text", [FLAT, NESTED, FLAT.replace("\n", "\r\n")], ids=["flat", "nested", "crlf"])
def test_csv_says_the_same_as_json(ledger: Engine, text: str) -> None:
    assert orders_of(text, ledger) == Imported(rows=1, changed=1, duplicates=0, rejects=())
    assert import_orders(ledger, json_lines(FULL_ORDER), "orders.jsonl").changed == 0
    assert SqlBook(ledger).order_lines(["OL-1"])["OL-1"].ship_to == ShipTo(country="JP", lat=35.68, lon=139.76)


SHORT = "order_line_id,order_id,customer_id,kind,item_id,title,amount_minor,currency,purchased_at,ship_to.lat\n"
SHORT_ROW = "OL-1,O-1,C-1,rental,casablanca,Casablanca,299,USD,1795290000000,\n"


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ("OL-9,O-1,C-1,rental,casablanca,Casablanca,299,USD\n", None, "has 8 cells where the header has 10"),
        (SHORT_ROW.replace("299", "2.99"), "amount_minor", "input should be a valid integer"),
        (SHORT_ROW.replace("299", "0299"), "amount_minor", "input should be a valid integer"),
        (SHORT_ROW.replace("299", "9" * 4_000), "amount_minor", "input should be a valid integer"),
        (SHORT_ROW.replace("299", ""), "amount_minor", "field required"),
        (SHORT_ROW.replace("1795290000000", "1795290000000 "), "purchased_at", "is not a time"),
        (SHORT_ROW.replace("0,\n", "0,35.6\n"), "ship_to.country", "field required"),
        (SHORT_ROW.replace("casablanca", '"casa"blanca'), None, "is not CSV"),
        (SHORT_ROW.replace("Casablanca", "Casa\0blanca"), None, "holds a NUL character"),
        (SHORT_ROW.replace("Casablanca", "Casa\udcffblanca"), None, "is not UTF-8 text"),
        (SHORT_ROW.replace("Casablanca", "x" * (MAX_LINE_BYTES + 1)), None, "is not CSV"),
    ],
    ids=["cells", "decimal", "leading zero", "digits", "empty", "space", "country", "quote", "NUL", "bytes", "length"],
)
def test_a_bad_csv_row_is_rejected_with_its_line(ledger: Engine, row: str, field: str | None, reason: str) -> None:
    good = SHORT_ROW.replace("OL-1", "OL-2").replace("Casablanca", '"Casa\nblanca"')
    text = SHORT + good + row + SHORT_ROW.replace("OL-1", "OL-3")
    imported = orders_of(text.encode(errors="surrogateescape"), ledger)
    assert the_only_reject(imported)[:2] == (4, field)
    assert the_only_reject(imported)[2].startswith(reason)
    assert (imported.rows, imported.changed) == (3, 2)


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        ("\x1f\x8b\x08\x00\x00", None, "the file is neither JSON Lines nor CSV"),
        ("[{}]", None, "the file is neither JSON Lines nor CSV"),
        ("order_line_id;order_id\n1;2\n", None, "the file is neither JSON Lines nor CSV"),
        ("order_line_id,colour\n1,red\n", "colour", "the file is neither JSON Lines nor CSV"),
        ("order_line_id,order_line_id\n1,1\n", None, "the header names a column twice"),
        (SHORT.replace("currency,", ""), "currency", "the header lacks this column"),
    ],
    ids=["gzip", "array", "semicolons", "unknown", "twice", "missing"],
)
def test_a_file_that_is_not_what_it_should_be_is_one_reject(
    ledger: Engine, text: str, field: str | None, reason: str
) -> None:
    imported = orders_of(text, ledger)
    assert the_only_reject(imported)[:2] == (1, field)
    assert the_only_reject(imported)[2].startswith(reason)


@pytest.mark.parametrize("text", ["", "\n\n", SHORT], ids=["empty", "blank", "header"])
def test_an_empty_file_has_no_rows(ledger: Engine, text: str) -> None:
    assert orders_of(text, ledger) == Imported(rows=0, changed=0, duplicates=0, rejects=())


def test_two_columns_cannot_fill_one_field(ledger: Engine) -> None:
    header = SHORT.replace("ship_to.lat", "title.ja")
    imported = orders_of(header + SHORT_ROW.replace("0,\n", "0,カサブランカ\n"), ledger)
    assert the_only_reject(imported)[1] == "title.ja"


def test_records_of_a_foreign_order_book_are_adopted(ledger: Engine) -> None:
    line = OrderLine.model_validate(an_order())
    customer = Customer.model_validate(a_customer())
    assert adopt_orders(ledger, [line]).changed == 1
    assert adopt_customers(ledger, [customer]).changed == 1
    assert adopt_orders(ledger, [line]).changed == 0
    assert SqlBook(ledger).order_lines(["OL-1"]) == {"OL-1": line}


def test_a_failed_import_leaves_nothing_and_the_next_one_works(ledger: Engine) -> None:
    class Torn(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 0:
                raise OSError("the line went dead")
            return super().read(size)

    many = json_lines(*(an_order(f"OL-{number}") for number in range(9_000)))
    with pytest.raises(OSError, match="went dead"):
        import_orders(ledger, Torn(many.getvalue()), "orders.jsonl")
    assert rows(ledger, ORDER_LINES) == []
    assert import_orders(ledger, json_lines(an_order()), "orders.jsonl").changed == 1
