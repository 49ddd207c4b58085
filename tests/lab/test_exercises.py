"""The exercises in the real lab: each fails untouched, passes after each solution, and its reset leaves nothing behind.

A third of them by rotation, the one of today, and one way of each: a solution or a wrong one. EXERCISES=all does the
first solution of each, EXERCISES=5,6 these in every way, EXERCISES=ways all in every way (support/rotation.py).
Every check is held to recordings by tests/unit/exercises; EXERCISES_RECORD=1 makes them anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.harness.stack import ROOT, Stack, wait_until
from labctl.config.configuration import Configuration
from labctl.lab.containers import NotThere, one_off_labels, run_in
from labctl.lab.lab import Lab
from labctl.measured.pairs import fresh
from labctl.terminal.errors import LabError
from labctl.workshop.exercise import exercise, judge, student
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.exercise import Exercise
from labctl.workshop.exercise.language import Language
from labctl.workshop.exercise.live import LiveLab
from labctl.workshop.exercise.verdict import Outcome
from labctl.workshop.student.containers import LABEL
from support.exercise_of_the_guide import write_exercise
from support.rotation import Run, chosen

PAIRS = ("fifo", "sysv_shm", "unix_stream")  # of exercise 1 and of the guide; the others name theirs
_SOLVED, _NOT_YET = 0, 1


class Student:
    """One student at a lab: progress in a folder of the test, values by the name."""

    def __init__(self, stack: Stack, home: Path, name: str) -> None:
        self._stack = stack
        self._environment = {"XDG_STATE_HOME": str(home), "LAB_STUDENT": name, "LANG": "C.UTF-8"}
        self._name = name

    def exercise(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `./lab exercise`."""
        return self._stack.lab("exercise", *arguments, within_s=300, **self._environment)

    def begun(self, *arguments: str) -> subprocess.Popen[str]:
        """The same, running."""
        return self._stack.begun("exercise", *arguments, **self._environment)

    def runs(self, command: list[str], it: Exercise, within_s: float = 240) -> subprocess.CompletedProcess[str]:
        """A script of the exercise, or a command of its page, with the student's values."""
        values = {f"EX_{name.upper()}": str(value) for name, value in student.draw(it, self._name).items()}
        return subprocess.run(
            command,
            cwd=ROOT,
            env={**self._stack.environment, **self._environment, **values},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )


@pytest.fixture
def cleared(stack: Stack) -> Iterator[Stack]:
    """The lab of all tests, as it is; the students' files go afterwards."""
    yield stack
    for file in ROOT.glob("exercise-[0-9][0-9]*"):
        file.unlink()


def state_of(stack: Stack) -> dict[str, Any]:
    """What a reset must leave as it was: containers and their settings, volumes, load, switches, kernel objects."""
    label = {"label": f"com.docker.compose.project={stack.project}"}
    containers = {
        container.name: (
            container.status,
            sorted(line for line in container.attrs["Config"]["Env"] if line.startswith("LAB_")),
        )
        for container in stack.client.containers.list(all=True, filters=label)
    }
    series = {
        name: sorted((str(sorted(_labels(it).items())), float(it["value"][1])) for it in stack.query(query))
        for name, query in {
            "load": fresh("ipc_load_rate"),
            "size": fresh("ipc_message_size_bytes"),
            "switches": fresh("ipc_switch_on"),
            "segments": "count by (mechanism) (ipc_kernel_shm_size_bytes{mechanism!=''})",
            "queues": "count by (mechanism) (ipc_kernel_queue_limit_bytes{mechanism!=''})",
            "semaphores": "count by (mechanism) (ipc_kernel_semaphores{mechanism!=''})",
        }.items()
    }
    volumes = sorted(volume.name for volume in stack.client.volumes.list(filters=label))
    return {"containers": containers, "volumes": volumes, **series}


def measured(stack: Stack) -> set[str]:
    """The mechanisms whose producers Prometheus scrapes."""
    return {it["metric"]["mechanism"] for it in stack.query(fresh("ipc_load_rate"))}


def _labels(series: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in series["metric"].items() if name not in ("instance", "__name__", "job")}


def recorded_as(run: Run, name: str) -> list[str]:
    """The option that keeps what a check sees, where that is wanted; of each way once."""
    if not os.environ.get("EXERCISES_RECORD") or run.student != run.way:
        return []
    folder = run.exercise.folder / "recorded"
    folder.mkdir(exist_ok=True)
    return ["--record", str(folder / f"{name}.json")]


def commands(it: Exercise, name: str) -> list[str]:
    """The commands of its page, which are the same in both languages, with the student's values."""
    page = it.readme(Language.KOREAN).read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S)
    return [line for block in blocks for line in student.filled_in(block, student.draw(it, name)).splitlines() if line]


RUNS = chosen(exercise.every(), os.environ.get("EXERCISES", ""), time.gmtime().tm_yday)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("it", "run"), [pytest.param(run.exercise, run, id=f"{run.exercise.name}-{run.way}-{run.student}") for run in RUNS]
)
def test_an_exercise_is_solved_by_a_solution_only_and_its_reset_leaves_the_lab_as_before(
    it: Exercise, run: Run, cleared: Stack, tmp_path: Path
) -> None:
    """The student does what the page says, and then what the script of one way does."""
    for pair in it.pairs:
        cleared.wait_for_traffic(pair)
    wait_until("Prometheus has figures of every producer", 15, lambda: measured(cleared) >= set(cleared.mechanisms()))
    before = state_of(cleared)
    way, done = run.way, Student(cleared, tmp_path, run.student)
    number, expected = str(it.number), _SOLVED if way.startswith("solution") else _NOT_YET
    started = done.exercise("start", number, "--yes")
    assert started.returncode == 0, started.stderr
    try:
        untouched = done.exercise("check", number, *recorded_as(run, "untouched"))
        assert untouched.returncode == _NOT_YET, f"untouched: {untouched.stdout}{untouched.stderr}"
        for line in commands(it, run.student):
            ran = done.runs(["bash", "-c", line], it)
            assert ran.returncode == 0, f"{line}: {ran.stderr}"
        applied = done.runs([str(it.folder / way / "apply.sh")], it)
        assert applied.returncode == 0, f"{applied.stdout[-2000:]}{applied.stderr[-2000:]}"
        deadline = time.monotonic() + 60  # what was done is in Prometheus with its next scrapes
        recorded = recorded_as(run, way.replace("solution", "solved"))
        while (checked := done.exercise("check", number, *recorded)).returncode != expected:
            assert time.monotonic() < deadline, f"{checked.stdout}{checked.stderr}"
    finally:
        back = done.exercise("reset", number)
    assert back.returncode == 0, back.stderr
    state = "solved" if expected == _SOLVED else "not begun"  # what was solved stays solved
    assert re.search(rf"^ *{number} .* {state}$", done.exercise("list").stdout, re.M)
    deadline = time.monotonic() + 30
    while (now := state_of(cleared)) != before and time.monotonic() < deadline:
        time.sleep(0.5)
    assert now == before


def test_a_check_right_after_the_start_waits_until_the_pair_is_measured(stack: Stack, tmp_path: Path) -> None:
    """So it is with a pair that was made anew: Prometheus does not know its address yet."""
    done = Student(stack, tmp_path, "reader")
    network, producer = stack.client.networks.get(f"{stack.project}_metrics"), stack.endpoint("fifo", "producer")
    network.disconnect(producer)
    try:
        wait_until("Prometheus has lost the producer", 30, lambda: "fifo" not in measured(stack))
        assert done.exercise("start", "9", "--yes").returncode == 0
        with done.begun("check", "9") as check:
            assert check.stderr is not None
            said = check.stderr.readline()
            network.connect(producer, aliases=["exporter", "fifo-producer"])
            verdict, _ = check.communicate(timeout=60)
        assert "Waiting for measurements of fifo" in said
        assert check.returncode == _NOT_YET, verdict
    finally:
        back = done.exercise("reset", "9")  # which brings a producer back that is still cut off
    assert back.returncode == 0, back.stderr


def test_the_exercise_of_the_guide_works_as_the_guide_says(stack: Stack, tmp_path: Path) -> None:
    it = write_exercise(tmp_path)
    stack.wait_for_traffic("fifo")
    values = student.draw(it, "reader")
    lab = Lab(Configuration.load(environment=stack.environment))
    started_at = lab.prometheus.now()

    def outcome() -> Outcome:
        return judge.judge(Attempt(it, LiveLab(lab, started_at), values)).outcome

    assert outcome() is Outcome.NOT_YET
    try:
        applied = Student(stack, tmp_path, "reader").runs(["bash", str(it.folder / "solution" / "apply.sh")], it)
        assert applied.returncode == 0, applied.stderr
        wait_until("the exercise is solved", 20, lambda: outcome() is Outcome.SOLVED)
    finally:
        assert stack.lab("load", "fifo", "--reset").returncode == 0


def test_the_reset_of_an_exercise_leaves_what_another_one_started(stack: Stack, tmp_path: Path) -> None:
    done = Student(stack, tmp_path, "reader")
    labels = {**one_off_labels(stack.project, "student-racer-1", 1), LABEL: "05_the_lost_update"}
    image = stack.container("fifo-consumer").attrs["Config"]["Image"]
    of_another = stack.client.containers.create(image, ["holder"], labels=labels)
    try:
        assert done.exercise("start", "1", "--yes").returncode == 0
        back = done.exercise("reset", "1")
        assert back.returncode == 0, back.stderr
        of_another.reload()
        assert of_another.status == "created"
        with pytest.raises(LabError) as refused:  # no message of the engine, which names the container by 64 digits
            run_in(of_another, ["true"])
        assert refused.value.message == f"{of_another.name} is created"
    finally:
        of_another.remove(force=True)
    with pytest.raises(NotThere):
        run_in(of_another, ["true"])


def test_without_a_pair_that_it_needs_an_exercise_does_not_start_and_says_what_to_do(
    stack: Stack, tmp_path: Path
) -> None:
    done = Student(stack, tmp_path, "reader")
    try:
        assert stack.compose("stop", "fifo-producer").returncode == 0
        refused = done.exercise("start", "1", "--yes")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.splitlines() == [
            "error: exercise 1 needs fifo, sysv_shm, unix_stream, and fifo is not running (hint: ./lab up fifo)"
        ]
        assert done.exercise("check").returncode == 2
    finally:
        assert stack.compose("start", "fifo-producer").returncode == 0
    stack.wait_for_traffic("fifo")
