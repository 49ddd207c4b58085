"""What the options of `./lab bench` ask for, and the pause of the load."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from docker.errors import APIError

from ipclab.bench.request import Shape
from ipclab.contract.channel import Wait
from labctl.experiments.bench import bench as command
from labctl.experiments.bench.bench import Plan, _possible_here, _show
from labctl.experiments.bench.cells import Cpus
from labctl.experiments.bench.harness import Progress
from labctl.experiments.bench.pause import load_paused
from labctl.main import main
from labctl.terminal.printing import in_time
from support.bench_figures import a_cell


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The plan of a command line, instead of a bench."""
    plans: list[tuple[Plan, Path, bool]] = []

    def record(_lab: object, plan: Plan, folder: Path, as_json: bool, _before: object) -> None:
        plans.append((plan, folder, as_json))

    monkeypatch.setattr(command, "bench", record)
    monkeypatch.delenv("LABCTL_TOOLS", raising=False)

    def plan(*arguments: str) -> tuple[Plan, Path, bool]:
        assert main(["bench", *arguments]) == 0
        return plans.pop()

    return plan


def test_without_options_it_is_everything_in_five_minutes(planned: Any) -> None:
    plan, folder, as_json = planned()
    assert plan.selection.sizes == (64, 1024, 8192, 65536, 1 << 20)
    assert plan.selection.shapes == (Shape.ONE_WAY, Shape.ROUND_TRIP)
    assert plan.selection.copies == (True, False)
    assert (plan.selection.waits, plan.selection.cpus) == ((Wait.BLOCK,), (Cpus.ONE,))
    assert (plan.repeat, plan.may_cut, str(folder), as_json) == (7, True, "bench", False)
    assert plan.budget_s < 300


def test_quick_is_less_of_it_in_under_a_minute(planned: Any) -> None:
    plan, _, _ = planned("--quick")
    assert plan.selection.sizes == (64, 65536, 1 << 20)
    assert plan.selection.shapes == (Shape.ONE_WAY,)
    assert (plan.repeat, plan.may_cut) == (3, True)
    assert plan.budget_s < 60


def test_what_is_named_is_measured(planned: Any, tmp_path: Path) -> None:
    plan, folder, as_json = planned(
        *("fifo", "zeromq_ipc", "--sizes", "1M,64,1KiB,100", "--shape", "burst,round-trip", "--wait", "spin,block"),
        *("--cpus", "two", "--copies", "no", "--repeat", "2", "--output", str(tmp_path), "--json"),
    )
    selection = plan.selection
    assert selection.mechanisms == ("fifo", "zeromq_ipc")
    assert selection.sizes == (64, 100, 1024, 1 << 20)
    assert selection.shapes == (Shape.BURST, Shape.ROUND_TRIP)
    assert (selection.waits, selection.cpus) == ((Wait.SPIN, Wait.BLOCK), (Cpus.TWO,))
    assert (selection.copies, selection.still) == ((False,), frozenset())
    assert (plan.repeat, plan.may_cut, folder, as_json) == (2, False, tmp_path, True)


def test_on_one_cpu_the_figures_of_two_are_said_to_be_absent() -> None:
    one = a_cell("fifo", 64)
    two = type(one)(one.row, one.size, one.shape, one.wait, Cpus.TWO, one.copies, one.touched)
    assert _possible_here([one, two, two], 2) == ([one, two, two], [])
    assert _possible_here([one, two, two], 1) == ([one], ["2 figures of two CPUs are absent: this lab may use one"])


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (131, "2 min 11 s")])
def test_time_left_is_in_minutes_and_seconds(seconds: float, text: str) -> None:
    assert in_time(seconds) == text


def test_progress_has_a_bar_and_the_time_that_is_left() -> None:
    step = Mock()
    _show(step, Progress(round=2, rounds=7, cell=a_cell("fifo", 64), done=25, of=100, left_s=75))
    step.detail.assert_called_once_with("[#####...............] 25%, 1 min 15 s left; round 2 of 7: fifo (python)")


def lab_with(*states: str, fails: int | None = None) -> Any:
    """A lab of containers in these states; the engine does not let go on with one."""
    containers = []
    for number, state in enumerate(states):
        container = Mock(running=state == "running", label=f"c{number}")
        if number == fails:
            container.docker.unpause.side_effect = APIError("500 Server Error")
        containers.append(container)
    return Mock(containers=lambda: containers), [container.docker for container in containers]


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, ValueError])
def test_what_ran_is_paused_and_goes_on_whatever_happens(error: type[BaseException] | None) -> None:
    lab, dockers = lab_with("running", "paused", "running")
    try:
        with load_paused(lab) as count:
            assert count == 2
            assert [docker.pause.call_count for docker in dockers] == [1, 0, 1]
            if error:
                raise error
    except (KeyboardInterrupt, ValueError):
        assert error
    assert [docker.unpause.call_count for docker in dockers] == [1, 0, 1]


def test_an_interrupted_pause_is_taken_back() -> None:
    lab, dockers = lab_with("running", "running", "running")
    dockers[1].pause.side_effect = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), load_paused(lab):
        pass
    assert [docker.unpause.call_count for docker in dockers] == [1, 1, 0]


def test_one_that_does_not_go_on_keeps_no_other_from_it(capsys: pytest.CaptureFixture[str]) -> None:
    lab, dockers = lab_with("running", "running", fails=1)
    with load_paused(lab):
        pass
    assert [docker.unpause.call_count for docker in dockers] == [1, 1]
    assert "still paused: c1 (hint: ./lab reset)" in capsys.readouterr().err


def test_without_a_running_lab_nothing_is_paused() -> None:
    with load_paused(lab_with("exited")[0]) as count:
        assert count == 0


def test_a_second_ctrl_c_keeps_nobody_paused() -> None:
    lab, dockers = lab_with("running", "running", "running")
    dockers[2].unpause.side_effect = lambda: os.kill(os.getpid(), signal.SIGINT)
    with load_paused(lab):
        pass
    assert [docker.unpause.call_count for docker in dockers] == [1, 1, 1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
