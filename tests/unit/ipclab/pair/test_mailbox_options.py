"""What the options of a mailbox's endpoints allow, refuse and mean."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from ipclab import mechanisms
from ipclab.accounting.checker import Checker
from ipclab.accounting.ledger import ConsumerLedger
from ipclab.accounting.shared import SharedChecker
from ipclab.options import checker, classified, lock_shared_ledger, picked


def test_one_class_is_the_mechanism_as_it_is() -> None:
    for name in mechanisms.names():
        mechanism = mechanisms.load(name)
        assert classified(name, mechanism, 1) is mechanism


@pytest.mark.parametrize(
    ("name", "classes", "pick", "says"),
    [
        ("fifo", 2, 0, "the messages of fifo have no types"),
        ("posix_mq", 2, 1, "highest priority first"),
        ("sysv_mq", 2, 3, "type 3 of 2"),
    ],
)
def test_what_a_mechanism_cannot_is_refused(name: str, classes: int, pick: int, says: str) -> None:
    with pytest.raises(click.BadParameter, match=says):
        classified(name, mechanisms.load(name), classes, pick)


def test_only_a_mailbox_is_shared_and_only_with_a_shared_ledger(tmp_path: Path) -> None:
    with pytest.raises(click.BadParameter, match="tcp serves one receiver"):
        lock_shared_ledger("tcp", mechanisms.load("tcp"), tmp_path, shared=True)
    with pytest.raises(click.BadParameter, match="--shared-ledger"):
        lock_shared_ledger("sysv_mq", mechanisms.load("sysv_mq"), None, shared=True)
    lock_shared_ledger("tcp", mechanisms.load("tcp"), None, shared=False)


def test_consumers_pick_only_where_several_share_types(tmp_path: Path) -> None:
    sysv, posix = mechanisms.load("sysv_mq"), mechanisms.load("posix_mq")
    assert picked(sysv, tmp_path, 2, shared=False) == picked(sysv, tmp_path, 1, shared=True) == 0
    assert picked(posix, tmp_path, 2, shared=True) == 0
    assert [picked(sysv, tmp_path, 2, shared=True) for _ in range(3)] == [1, 2, 1]


def test_the_checker_is_that_of_one_or_of_many(tmp_path: Path) -> None:
    ledger, mechanism = ConsumerLedger(tmp_path / "ledger"), mechanisms.load("sysv_mq")
    shared_ledger = tmp_path / "shared_ledger"
    shared_ledger.mkdir()
    assert isinstance(checker(ledger, mechanism, shared_ledger, shared=True), SharedChecker)
    assert isinstance(checker(ledger, mechanism, shared_ledger, shared=False), Checker)
    assert isinstance(checker(ledger, mechanism, None, shared=False), Checker)
