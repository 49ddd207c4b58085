"""What `./lab place` and `./lab load` tell a student who asks, and what they leave to be found."""

from __future__ import annotations

import re

import pytest

from ipclab.building_blocks import framing
from ipclab.contract.channel import Sharing
from ipclab.matrix.placement import SHARED, Placement
from labctl.cli.pair import check_place_options, load, place
from labctl.terminal.errors import BadInput
from labctl.workshop.exercise.exercise import find
from labctl.workshop.exercise.language import Language

_WORDS = {
    Sharing.IPC_NAMESPACE: "IPC namespace",
    Sharing.DEV_SHM: "and /dev/shm",
    Sharing.VOLUME: "volume",
    Sharing.NETWORK: "network",
}


def test_the_help_of_place_has_every_placement_and_what_it_shares() -> None:
    said = dict(re.findall(r"^ +(\w+)  +(\S.*)$", place.help or "", re.M))
    assert list(said) == [str(it) for it in Placement if it is not Placement.SAME_CONTAINER]
    for placement, words in said.items():
        assert {it for it, word in _WORDS.items() if word in words} == SHARED[Placement(placement)]


def test_a_place_without_a_placement_names_them_and_gives_no_answer_of_exercise_1() -> None:
    """The error names what may be chosen, and the hint does not choose."""
    with pytest.raises(BadInput) as refused:
        check_place_options("fifo", None, back=False)
    assert "shared_ipc" in refused.value.message
    assert refused.value.hint == "./lab place --help: what each one shares"
    answer = find("1").texts(Language.ENGLISH).hints[-1]
    assert "shared_ipc" in answer
    assert "place fifo shared_ipc" not in f"{refused.value} {place.help}"


def test_the_size_of_a_message_is_told_from_that_of_its_frame() -> None:
    size = next(it for it in load.params if it.name == "size")
    assert f"a frame prefix of {framing.PREFIX_BYTES} bytes" in getattr(size, "help", "")
