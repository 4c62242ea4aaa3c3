from dataclasses import replace
from pathlib import Path

import pytest

from remediation.gateways.durable import write_whole
from remediation.gateways.errors import RefusedError
from remediation.gateways.file_refunds import FileGateway
from remediation.gateways.refunds import Payout, Receipt, RefundStatus

PAYOUT = Payout("R-1", "OL-1", None, 299, "USD")


def test_a_refund_asked_for_twice_is_one_file(tmp_path: Path) -> None:
    assert (
        FileGateway(tmp_path).refund(PAYOUT)
        == FileGateway(tmp_path).refund(PAYOUT)
        == Receipt("file:R-1", status=RefundStatus.SUCCEEDED)
    )
    assert [path.name for path in tmp_path.iterdir()] == ["R-1.json"]


def test_another_amount_under_the_same_key_is_refused(tmp_path: Path) -> None:
    FileGateway(tmp_path).refund(PAYOUT)
    with pytest.raises(RefusedError, match=r"R-1\.json holds another refund"):
        FileGateway(tmp_path).refund(replace(PAYOUT, amount_minor=300))


def test_only_a_refund_that_was_made_is_found(tmp_path: Path) -> None:
    gateway = FileGateway(tmp_path)
    assert gateway.find(PAYOUT) is None
    gateway.refund(PAYOUT)
    assert gateway.find(PAYOUT) == Receipt("file:R-1", status=RefundStatus.SUCCEEDED)


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError("no space left")

    path = tmp_path / "deep" / "file"
    write_whole(path, b"old")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_whole(path, b"new")
    assert [(each.name, each.read_bytes()) for each in path.parent.iterdir()] == [("file", b"old")]
