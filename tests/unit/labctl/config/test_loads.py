"""What `./lab load` makes of a name and of options, and the name that a running load has."""

from __future__ import annotations

import pytest

from ipclab.runtime.overrides import Load
from labctl.config import compose_file
from labctl.config.loads import NAMED, NAMES, LoadRequest, limit_of, name_of
from labctl.terminal.errors import BadInput

START, PRESENT = Load(300, 2048), Load(1000, 4096, 10)


def test_the_names_are_no_mechanisms() -> None:
    assert NAMES == ("idle", "stream", "bulk")
    assert not set(NAMES) & set(compose_file.declared())


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (LoadRequest(reset=True), START),
        (LoadRequest("idle"), START),
        (LoadRequest("idle", rate=5), Load(5, 2048)),
        (LoadRequest("stream"), NAMED["stream"]),
        (LoadRequest("stream", burst=100), Load(2000, 1024, 100)),
        (LoadRequest(rate=2000), Load(2000, 4096, 10)),
        (LoadRequest(size_bytes=64), Load(1000, 64, 10)),
        (LoadRequest(burst=1), Load(1000, 4096)),
    ],
)
def test_options_change_the_named_load_or_the_present_one(asked: LoadRequest, wanted: Load) -> None:
    assert asked.of("fifo", START, PRESENT) == wanted


def test_only_what_changes_a_part_needs_the_present_load() -> None:
    assert LoadRequest(rate=5).needs_present
    assert not LoadRequest(rate=5, size_bytes=64, burst=1).needs_present
    assert not LoadRequest("bulk").needs_present
    assert not LoadRequest(reset=True).needs_present


def test_idle_is_exactly_a_reset_unless_an_option_changes_it() -> None:
    assert LoadRequest("idle").restores
    assert LoadRequest(reset=True).restores
    assert not LoadRequest("idle", rate=5).restores
    assert not LoadRequest("stream").restores


@pytest.mark.parametrize("mechanism", compose_file.declared())
def test_a_pair_with_a_smaller_maximum_sends_messages_of_its_maximum(mechanism: str) -> None:
    bulk = LoadRequest("bulk", fits=True).of(mechanism, START, None)
    assert bulk.size_bytes == min(1 << 16, limit_of(mechanism))
    assert (bulk.size_bytes == 8192) == (mechanism in ("sysv_mq", "posix_mq"))
    assert name_of(mechanism, bulk) == "bulk"


def test_the_name_of_a_load_is_that_of_its_figures() -> None:
    assert name_of("fifo", NAMED["stream"]) == "stream"
    assert name_of("fifo", START) == ""
    assert name_of("fifo", Load(200, 8192, 8)) == "", "what a queue sends under bulk is no bulk of a pipe"
    assert name_of("sysv_mq", Load(200, 8192, 8)) == "bulk"


def test_a_burst_is_due_at_least_once_a_second() -> None:
    with pytest.raises(BadInput, match=r"invalid --burst 500: expected at most 300, the messages/s of fifo \(hint: "):
        LoadRequest("idle", burst=500).of("fifo", START, None)
    assert LoadRequest("idle", burst=300).of("fifo", START, None).burst == 300
