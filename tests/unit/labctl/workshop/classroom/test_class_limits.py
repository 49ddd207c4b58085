"""How many labs fit: every resource bounds, the smallest one is named, and an estimate can be overruled."""

from __future__ import annotations

import pytest

from labctl.config import compose_file
from labctl.terminal.errors import BadInput, LabError
from labctl.workshop.classroom import limits
from labctl.workshop.classroom.limits import Machine
from labctl.workshop.classroom.shape import shape_of, with_what_they_need

ALL = tuple(compose_file.declared())
BIG = Machine(queue_bytes=819_200, memory_bytes=1 << 40, cpus=1000)


def found(
    machine: Machine = BIG, *, pairs: tuple[str, ...] = ("fifo", "tcp"), subnets: int = 1000
) -> list[limits.Limit]:
    """The limits of a machine."""
    return limits.limits(shape_of(pairs, 200), machine, subnets=subnets, first_port=20000)


def test_the_first_lab_that_does_not_fit_is_named_with_what_it_lacks() -> None:
    networks = len(compose_file.networks())
    with pytest.raises(BadInput) as refused:
        limits.require(20, found(subnets=18 * networks + 1), running=0, overcommit=False)
    assert refused.value.message.startswith("18 labs of this shape fit; the 19th lacks address pools: ")
    limits.require(18, found(subnets=18 * networks), running=0, overcommit=False)


def test_labs_that_run_count_as_labs_that_fit() -> None:
    with pytest.raises(BadInput, match="7 labs of this shape fit; the 8th lacks address pools"):
        limits.require(3, found(subnets=2 * len(compose_file.networks())), running=5, overcommit=False)


def test_an_estimate_can_be_overruled_and_a_count_cannot() -> None:
    small = Machine(queue_bytes=819_200, memory_bytes=1 << 30, cpus=1000)
    with pytest.raises(BadInput, match="lacks memory"):
        limits.require(100, found(small), running=0, overcommit=False)
    limits.require(100, found(small), running=0, overcommit=True)
    with pytest.raises(BadInput, match="lacks address pools"):
        limits.require(100, found(small, subnets=5), running=0, overcommit=True)


def test_a_lab_with_a_queue_that_its_user_may_not_have_does_not_fit_at_all() -> None:
    none = Machine(queue_bytes=50_000, memory_bytes=1 << 40, cpus=1000)
    with pytest.raises(BadInput, match="0 labs of this shape fit; the 1st lacks POSIX queues"):
        limits.require(1, found(none, pairs=("posix_mq",)), running=0, overcommit=False)
    limits.require(1, found(none, pairs=("fifo",)), running=0, overcommit=False)


def test_the_queues_of_a_whole_lab_fit_into_the_limit_that_linux_has() -> None:
    assert shape_of(ALL, 200).queue_bytes < 819_200 / 9


def test_fewer_pairs_and_slower_ones_make_a_smaller_lab() -> None:
    whole, few = shape_of(ALL, 200), shape_of(("fifo", "tcp"), 200)
    assert few.memory_bytes < whole.memory_bytes / 3
    assert shape_of(ALL, 50).cpu_share < whole.cpu_share


def test_a_shape_has_what_its_services_depend_on() -> None:
    assert "holder" in with_what_they_need(["posix-mq-producer"])
    assert "holder" not in with_what_they_need(["fifo-producer"])
    assert set(shape_of(ALL, 200).services) >= {"responder", "probe-shared-ipc", "page", "prometheus"}


def test_what_a_container_says() -> None:
    said = "Max msgqueue size  819200 819200 bytes\nMemAvailable:   2048 kB\ncpus 4\n"
    assert limits.parse(said) == Machine(819_200, 2048 * 1024, 4)
    assert limits.parse(said.replace("819200", "unlimited")).queue_bytes is None
    with pytest.raises(LabError, match="does not say"):
        limits.parse("sh: not found")


@pytest.mark.parametrize(
    ("number", "word"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (12, "12th"), (19, "19th"), (21, "21st")]
)
def test_ordinals(number: int, word: str) -> None:
    assert limits.ordinal(number) == word
