"""The protocol of the ring, checked by spin(1) on memory that reorders: what `ring.pml` says.

The unit test `test_ring_order.py` holds the code to the order of accesses that the model has.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

MODEL = Path(__file__).with_name("ring.pml")
ABSENT = [tool for tool in ("spin", "cc") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(ABSENT), reason=f"{' and '.join(ABSENT)} not installed")

WITHIN_S = 200
LOST, ASLEEP = "assertion violated", "invalid end state"
# What each order is for: without it, a record is not what was written, or a side sleeps for ever.
NEEDED = {
    "NO_TAIL_RELEASE": LOST,
    "NO_TAIL_ACQUIRE": LOST,
    "NO_HEAD_RELEASE": LOST,
    "NO_WAKE_FENCE": ASLEEP,
    "NO_SLEEP_FENCE": ASLEEP,
    "NO_WAIT_FENCE": ASLEEP,
    "NO_ROOM_FENCE": ASLEEP,
}


@dataclass
class Search:
    """What spin found in all the interleavings, or up to the first failure."""

    failure: str  # empty if there is none
    unreached: list[str]  # statements of the model that no interleaving came to


def search(folder: Path, messages: int, *defines: str) -> Search:
    options = [f"-D{name}" for name in (f"MESSAGES={messages}", *defines)]
    for command in (["spin", "-a", *options, str(MODEL)], ["cc", "-O0", "-w", "-DSAFETY", "-o", "pan", "pan.c"]):
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=WITHIN_S)
    said = subprocess.run(
        ["./pan", "-m10000", "-w22"], cwd=folder, check=True, capture_output=True, text=True, timeout=WITHIN_S
    ).stdout
    assert "max search depth too small" not in said
    assert "out of memory" not in said
    errors = re.search(r"errors: (\d+)", said)
    assert errors, said
    failure = re.search(rf"pan:1: ({LOST}|{ASLEEP})", said)
    assert bool(failure) == (errors[1] != "0"), said
    return Search(failure[1] if failure else "", re.findall(r"ring\.pml:\d+, state \d+, \"(?!-end-)(.*)\"", said))


def test_every_record_arrives_and_nobody_sleeps_for_ever(tmp_path: Path) -> None:
    assert search(tmp_path, 4) == Search("", [])


@pytest.mark.parametrize("order", NEEDED)
def test_without_one_order_it_fails(order: str, tmp_path: Path) -> None:
    assert search(tmp_path, 4, order).failure == NEEDED[order]


def test_the_commit_word_needs_no_order_of_its_own(tmp_path: Path) -> None:
    """The code asks for it at no cost: a commit word that fits its place says that its bytes are there."""
    assert search(tmp_path, 4, "NO_COMMIT_RELEASE").failure == ""


@pytest.mark.parametrize("fence", ["", "NO_WAKE_FENCE", "NO_ROOM_FENCE"])
def test_where_the_processor_keeps_the_order_of_stores_the_fences_alone_are_needed(fence: str, tmp_path: Path) -> None:
    defines = ["KEEPS_ORDER", *(order for order in NEEDED if NEEDED[order] is LOST), *([fence] if fence else [])]
    assert search(tmp_path, 4, *defines).failure == (ASLEEP if fence else "")


@pytest.mark.parametrize("side", ["SENDER", "RECEIVER"])
@pytest.mark.parametrize("defines", [(), ("NO_NOTIFY_AT_OPEN",)])
def test_a_side_that_is_killed_anywhere_and_starts_again_notifies_the_other(
    side: str, defines: tuple[str, ...], tmp_path: Path
) -> None:
    assert search(tmp_path, 3, f"KILLS={side}", *defines).failure == (ASLEEP if defines else "")
