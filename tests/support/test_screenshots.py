"""The pictures of a gallery, in the real browser."""

import struct
from pathlib import Path

import pytest

from tests.support.chromium import chromium
from tests.support.screenshots import take

PAGE = (
    '<!doctype html><html lang="en"><head><meta name="color-scheme" content="light dark"><title>A mail</title></head>'
    '<body style="margin: 0"><div style="height: 1500px">Sorry.</div></body></html>'
)


@pytest.mark.servers
def test_a_mail_is_taken_whole_at_both_widths_by_day_and_by_night(tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "en.late.plain.html").write_text(PAGE)

    assert take(tmp_path, tmp_path / "out") == 4
    pictures = {path.parent.name: path.read_bytes() for path in (tmp_path / "out").glob("*/en.late.plain.png")}
    sizes = {name: struct.unpack(">II", picture[16:24]) for name, picture in pictures.items()}
    assert sizes == {
        "phone-light": (750, 3000),
        "phone-dark": (750, 3000),
        "desktop-light": (800, 1500),
        "desktop-dark": (800, 1500),
    }
    assert pictures["phone-light"] != pictures["phone-dark"]


@pytest.mark.servers
def test_what_a_page_cannot_do_is_said(tmp_path: Path) -> None:
    with chromium() as browser, browser.page(320) as page:
        with pytest.raises(RuntimeError, match="ERR_FILE_NOT_FOUND"):
            page.open(tmp_path / "nothing.html")
        with pytest.raises(RuntimeError, match="nobody is not defined"):
            page.evaluate("nobody.home")
        assert page.evaluate("Promise.resolve([1, 'two'])") == [1, "two"]
