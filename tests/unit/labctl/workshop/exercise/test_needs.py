"""What an exercise lacks is named, and one command brings all of it."""

from __future__ import annotations

from ipclab.matrix.placement import Placement
from labctl.config.compose_file import matrix_services
from labctl.workshop.exercise.exercise import every, find
from labctl.workshop.exercise.needs import missing

ALONE = find("1")  # looks at no probe
MATRIX = find("6")


def ends_of(*pairs: str) -> set[tuple[str, bool]]:
    """Both sides of these pairs."""
    return {(pair, producer) for pair in pairs for producer in (True, False)}


def test_with_all_of_it_nothing_is_missing() -> None:
    assert not missing(ALONE, ends_of(*ALONE.pairs), set(), {})
    assert not missing(MATRIX, ends_of(*MATRIX.pairs), set(matrix_services()), {})


def test_a_pair_of_which_one_side_runs_is_not_running() -> None:
    first, second, *others = ALONE.pairs
    lacks = missing(ALONE, ends_of(*others) | {(first, True)}, set(), {})
    assert lacks.facts() == f"{first}, {second} are not running"
    assert lacks.command() == f"./lab up {first} {second}"


def test_a_consumer_that_stands_elsewhere_is_placed_apart_and_moved_back() -> None:
    """As exercise 1 leaves unix_stream: its own consumer has ended, and the moved one runs."""
    ends = ends_of("fifo", "sysv_shm") | {("unix_stream", True)}
    lacks = missing(ALONE, ends, set(), {"unix_stream": Placement.SHARED_IPC})
    assert lacks.facts() == "the consumer of unix_stream is placed apart, at shared_ipc"
    assert lacks.command() == "./lab place unix_stream --back"


def test_of_a_pair_whose_producer_has_ended_more_is_missing_than_a_place() -> None:
    ends = ends_of("fifo", "sysv_shm")
    lacks = missing(ALONE, ends, set(), {"unix_stream": Placement.SHARED_IPC})
    assert (lacks.facts(), lacks.command()) == ("unix_stream is not running", "./lab up unix_stream")


def test_one_command_starts_what_is_missing_and_moves_back_what_is_apart() -> None:
    ends = ends_of("fifo") | {("unix_stream", True)}
    lacks = missing(ALONE, ends, set(), {"unix_stream": Placement.SHARED_VOLUME})
    assert lacks.facts() == "sysv_shm is not running and the consumer of unix_stream is placed apart, at shared_volume"
    assert lacks.command() == "./lab up sysv_shm unix_stream"


def test_the_probes_that_an_exercise_looks_at_are_started_with_the_whole_lab() -> None:
    """A lab of some pairs has no probe."""
    responder, *probes = matrix_services()
    lacks = missing(MATRIX, ends_of(*MATRIX.pairs), {responder}, {})
    assert lacks.facts() == f"{', '.join(probes)} are not running"
    assert lacks.command() == "./lab up"
    assert missing(MATRIX, set(), set(), {}).command() == "./lab up"


def test_every_exercise_whose_steps_look_at_the_matrix_needs_the_probes() -> None:
    for it in every():
        steps = (it.folder / "README.md").read_text(encoding="utf-8").partition("## Why")[0]
        assert it.probes is ("./lab matrix" in steps or "probe" in steps), it.name
