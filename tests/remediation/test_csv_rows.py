"""What one bad row or one odd header may cost: itself, and nothing that it holds."""

import json
from collections.abc import Iterator
from io import BytesIO

import pytest

from remediation.orders import Customer, OrderLine
from remediation.rows import Row, RowReject, parsed_rows
from tests.remediation.ledger.evenings import an_order

HEADER = "order_line_id,order_id,customer_id,kind,item_id,title_json,amount_minor,currency,purchased_at\n"


def a_row(order_line_id: str, title_json: str = '""Casablanca""') -> str:
    return f'{order_line_id},O-1,C-1,rental,casablanca,"{title_json}",299,USD,1795290000000\n'


def told(text: str) -> Iterator[tuple[int, str]]:
    """Every row as its line and its id, or as its line and why it was not used."""
    for row in parsed_rows(BytesIO(text.encode()), "orders.csv", OrderLine):
        yield row.line, row.reason if isinstance(row, RowReject) else row.record.order_line_id


@pytest.mark.parametrize("opening", ['"', 'OL-9,"O-1', '"O""L'], ids=["at once", "in a cell", "doubled"])
@pytest.mark.parametrize("behind", [1, 400], ids=["a row", "more rows than a cell may be long"])
def test_a_quote_that_is_not_closed_spoils_its_own_line_alone(opening: str, behind: int) -> None:
    followers = [a_row(f"OL-{number}").replace('"""', "").replace('"', "") for number in range(behind)]
    plain = HEADER.replace("title_json", "title")

    rows = list(told(plain + opening + "\n" + "".join(followers)))

    assert rows[0] == (2, "is not CSV: a quote is not closed or not doubled, or a cell is too long")
    assert rows[1:] == [(3 + number, f"OL-{number}") for number in range(behind)]


def test_a_cell_of_several_lines_is_still_one_row() -> None:
    rows = list(told(HEADER.replace("title_json", "title") + a_row("OL-1", "Casa\nblanca") + a_row("OL-2", "Casa")))

    assert rows == [(2, "OL-1"), (4, "OL-2")]


@pytest.mark.parametrize(
    ("first_line", "field"),
    [
        pytest.param("ilsa.lund,ilsa@example.com,ilsa", None, id="a row without a header"),
        pytest.param("customer_id,email,nickname", "nickname", id="a header with an unknown column"),
        pytest.param("customer_id,email,Ilsa Lund", None, id="a header with prose in it"),
    ],
)
def test_a_column_is_named_only_where_the_line_shows_that_it_is_a_header(first_line: str, field: str | None) -> None:
    (reject,) = parsed_rows(BytesIO(first_line.encode()), "customers.csv", Customer)

    assert isinstance(reject, RowReject)
    assert (reject.line, reject.field) == (1, field)


# Around the depths at which reading still succeeds and writing does not: 993, 1,495, 9,997 in Python 3.11 to 3.13.
DEPTHS = [4, 200, *range(980, 1_000), *range(1_480, 1_500), *range(9_980, 10_000), 60_000]


def test_a_cell_of_json_may_be_as_deep_as_it_likes() -> None:
    rows = list(told(HEADER + "".join(a_row("OL-1", "[" * depth + "]" * depth) for depth in DEPTHS) + a_row("OL-2")))

    assert rows[-1] == (len(DEPTHS) + 2, "OL-2")
    assert {reason for _, reason in rows[:-1]} <= {
        "input should be a valid string",
        "is not one JSON object",
        "is not JSON",
    }


def test_a_backslash_before_the_letters_of_an_escape_is_no_nul() -> None:
    rows = [json.dumps(an_order("OL-1", title=r"\u0000")), json.dumps(an_order("OL-2", title="a\0b"))]

    assert list(told("\n".join(rows))) == [(1, "OL-1"), (2, "holds a NUL character")]


@pytest.mark.parametrize("odd", ["{{ 1337*7331 }}", "{", "OL-9{"])
def test_a_cell_that_begins_like_json_does_not_make_json_of_the_table(odd: str) -> None:
    rows = list(told(HEADER + a_row("OL-1") + a_row(odd) + a_row("OL-2")))

    assert rows == [(2, "OL-1"), (3, odd), (4, "OL-2")]


def test_a_line_of_a_cell_that_begins_like_json_does_not_either() -> None:
    rows = list(told("\n \n" + HEADER.replace("title_json", "title") + a_row("OL-1", "Casa\n{blanca") + a_row("OL-2")))

    assert rows[0] == (4, "OL-1")


def test_rubbish_before_json_lines_does_not_make_a_table_of_them() -> None:
    rows = list(told("order lines of today\n" + json.dumps(an_order("OL-1"))))

    assert rows == [(1, "is not one JSON object"), (2, "OL-1")]


def test_blank_lines_before_a_header_cost_no_more_than_others() -> None:
    (row,) = parsed_rows(BytesIO(b"\n" * 200_000 + (HEADER + a_row("OL-1")).encode()), "orders.csv", OrderLine)

    assert isinstance(row, Row)
    assert row.line == 200_002
