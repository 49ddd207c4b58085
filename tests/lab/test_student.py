"""A student's program that is wrong in every way is one line, and the lab goes on as if it had not been there."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import docker
import pytest

from lab.harness.stack import ROOT, Stack, wait_until
from labctl.config.configuration import Configuration
from labctl.lab.containers import PROJECT_LABEL
from labctl.lab.lab import Lab
from labctl.workshop.student import judge
from labctl.workshop.student.containers import LABEL, PRODUCER
from labctl.workshop.student.run import MOST_LOG_BYTES

PAIRS = ("anonymous_pipe", "fifo")  # of the lab: see conftest.py
EXERCISE = "08_anonymous_pipe"
FAULTS = {
    "ends": ("import sys; sys.exit(3)", r"ends.py ended with exit code 3"),
    "raises": ("raise ValueError('no')", r"raises.py ended with exit code 1: ValueError: no"),
    "floods": ("while True: print('x' * 4000)", r"floods.py was stopped: it wrote more than 1 MiB to its log"),
    "memory": ("x = b'1' * (1 << 30)", r"memory.py (was killed: it used more than 96 MiB of memory|ended with .*)"),
    "disk": (
        "f = open('/state/x', 'wb')\nwhile True: f.write(b'x' * 65536)",
        r"disk.py ended with exit code 1: OSError: \[Errno 27\] File too large",
    ),
    "forks": ("import os\nwhile True: os.fork()", r"forks.py (was killed: .*|ended with exit code .*)"),
    "hangs": ("while True: pass", r"hangs.py did not end: after 0 messages nothing arrived for 8 s"),
}


def lab_of(stack: Stack) -> Lab:
    """The lab of the tests, as a command would have it."""
    return Lab(Configuration.load(environment=stack.environment))


def left_by_students(client: docker.DockerClient, project: str) -> list[str]:
    """The containers and volumes of exercises."""
    label = {"label": [f"{PROJECT_LABEL}={project}", LABEL]}
    return [it.name for it in (*client.containers.list(all=True, filters=label), *client.volumes.list(filters=label))]


@pytest.mark.timeout(200)
def test_what_a_program_does_wrong_is_one_line_and_the_lab_is_unharmed(stack: Stack, tmp_path: Path) -> None:
    before = {name: (c.id, c.attrs["State"]["StartedAt"]) for name, c in stack.containers().items()}
    for name, (source, problem) in FAULTS.items():
        file = tmp_path / f"{name}.py"
        file.write_text(source)
        found = judge.judge(lab_of(stack), EXERCISE, "producer", "anonymous_pipe", file, {"count": 900})
        assert found.problem, name
        assert re.fullmatch(problem, found.problem)
        assert (found.received, found.lost) == (0, 900)
        assert left_by_students(stack.client, stack.project) == []
    assert {name: (c.id, c.attrs["State"]["StartedAt"]) for name, c in stack.containers().items()} == before
    stack.wait_for_traffic("anonymous_pipe")


@pytest.mark.timeout(100)
def test_a_file_that_does_not_parse_is_refused_at_the_start_and_solves_nothing_later(
    stack: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"

    def exercise(*arguments: str) -> subprocess.CompletedProcess[str]:
        return stack.lab("exercise", *arguments, XDG_STATE_HOME=str(tmp_path), LANG="C.UTF-8")

    file.write_text("def f(:\n")
    refused = exercise("start", "8", "--yes", "--file", str(file))
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1), refused.stderr
    assert f"error: {file} line 1 does not parse: invalid syntax (hint: " in refused.stderr
    assert "not begun" in next(line for line in exercise("list").stdout.splitlines() if line.startswith(" 8 "))
    file.write_text("pass\n")
    try:
        assert exercise("start", "8", "--yes", "--file", str(file)).returncode == 0
        file.write_text("def f(:\n")
        checked = exercise("check", "8")
        assert checked.returncode == 1, checked.stderr
        assert checked.stdout.startswith("exercise 8, ")
        assert checked.stdout.splitlines()[1].startswith(
            f"not yet: {file} line 1 does not parse: invalid syntax; 0 of "
        )
    finally:
        assert exercise("reset", "8").returncode == 0
    assert file.read_text() == "def f(:\n", "the student's work stays"
    assert left_by_students(stack.client, stack.project) == []


@pytest.mark.timeout(100)
def test_a_started_program_shares_a_volume_and_nothing_else(stack: Stack, tmp_path: Path) -> None:
    lab = lab_of(stack)
    file = tmp_path / "waits.py"
    file.write_text("import time\nwhile True: time.sleep(1)")
    judge.start(lab, EXERCISE, "producer", "anonymous_pipe", file, {"count": 900})
    try:
        container = stack.container(PRODUCER)
        host = container.attrs["HostConfig"]
        assert (host["NetworkMode"], host["IpcMode"], host["ReadonlyRootfs"]) == ("none", "private", True)
        assert (host["CapDrop"], host["PidsLimit"], host["NanoCpus"]) == (["ALL"], 32, 10**9)
        assert host["LogConfig"]["Config"] == {"max-size": "1m", "max-file": "2"}
        assert host["Memory"] == 96 << 20
        assert MOST_LOG_BYTES <= 2 << 20
        pairs = json.loads(stack.lab("status", "--json").stdout)["pairs"]
        assert "student" not in [pair["mechanism"] for pair in pairs], "a pair of that name would be in every table"
    finally:
        judge.remove(lab, EXERCISE)
    assert left_by_students(stack.client, stack.project) == []


@pytest.mark.timeout(200)
def test_the_sender_in_c_takes_part_as_the_page_says(stack: Stack, tmp_path: Path) -> None:
    """The two commands of docs/MESSAGE_FORMAT.md."""
    page = (ROOT / "docs" / "MESSAGE_FORMAT.md").read_text(encoding="utf-8")
    (compiling,) = re.findall(r"`(cc [^`]+)`", page)
    (sending,) = re.findall(r"^`(docker compose run [^`]+)`$", page, re.MULTILINE)
    if not shutil.which("cc"):
        pytest.skip("no C compiler here")
    compiled = compiling.replace("-o sender", f"-o {tmp_path}/sender")
    done = subprocess.run(shlex.split(compiled), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        pytest.skip(f"no static C library here: {done.stderr.splitlines()[-1]}")
    before = stack.accounts("fifo")
    command = shlex.split(sending.replace("$PWD/sender", f"{tmp_path}/sender"))
    ran = stack.compose(*command[2:])
    assert ran.returncode == 0, ran.stderr
    assert "sent 1000 messages of 256 bytes" in ran.stdout

    def more() -> bool:
        now = stack.accounts("fifo")
        return now["received"] - before["received"] >= 1000 + now["sent"] - before["sent"] - 100

    try:
        wait_until("a thousand messages more than the producer sent", 10, more)
        assert stack.accounts("fifo")["corrupt"] == before["corrupt"]
    finally:
        stack.lab("reset")  # the messages of the guest are in the consumer's account
