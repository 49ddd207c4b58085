"""Types and priorities: who takes which, and what is shown of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ipclab import mechanisms
from ipclab.accounting.ledger import LedgerError
from ipclab.accounting.shared import lock_class
from ipclab.contract import optional_parts
from ipclab.contract.optional_parts import Classifies
from ipclab.metrics import definitions as metrics
from ipclab.pair.consumer import class_samples


def test_consumers_share_the_types_out(tmp_path: Path) -> None:
    assert [lock_class(tmp_path, 3) for _ in range(optional_parts.MOST)] == [1, 2, 3, 1, 2, 3, 1, 2]
    with pytest.raises(LedgerError, match="8 consumers"):
        lock_class(tmp_path, 3)


def test_the_type_of_a_dead_consumer_is_free_again(tmp_path: Path) -> None:
    child = os.fork()
    if not child:
        os._exit(lock_class(tmp_path, 2))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert lock_class(tmp_path, 2) == 1


def test_only_mailboxes_have_classes() -> None:
    having = {name for name in mechanisms.names() if isinstance(mechanisms.load(name), Classifies)}
    assert having == {"posix_mq", "sysv_mq"}


def test_a_queue_with_priorities_keeps_no_order_as_a_whole() -> None:
    plain = mechanisms.load("posix_mq")
    assert isinstance(plain, Classifies)
    assert (plain.traits.ordered, plain.classified(2).traits.ordered, plain.classified(1).traits.ordered) == (1, 0, 1)
    with pytest.raises(ValueError, match="highest priority first"):
        plain.classified(2, 1)


def test_what_was_received_of_each_class_is_shown() -> None:
    plain = mechanisms.load("sysv_mq")
    assert isinstance(plain, Classifies)
    mechanism = plain.classified(2)
    assert isinstance(mechanism, Classifies)
    mechanism.received_by_class.update({2: 5, 1: 4})
    assert [(s.labels, s.value) for s in class_samples(mechanism)] == [(("type", "1"), 4), (("type", "2"), 5)]
    assert {s.definition for s in class_samples(mechanism)} == {metrics.RECEIVED_BY_CLASS}
    assert not list(class_samples(plain))
    assert not list(class_samples(mechanisms.load("fifo")))
