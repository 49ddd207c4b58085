"""Bad input: the real command line in a process of its own, no Docker needed, nothing started.

Each case is one wrong thing. The answer is one line on stderr that names it, shows the value and gives a
hint; nothing on stdout, no traceback, exit code 2.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from labctl.config.configuration import PUBLISHED_PORTS
from support.launcher import OWN_PROJECT, assert_refused, make_lab, run_lab
from support.ports import free_ports


@dataclass
class Case:
    """What the user did, and the words that the one line must contain."""

    id: str
    arguments: list[str]
    says: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    env_line: str | None = None  # appended to .env


def variable(name: str, value: str, *says: str, command: str = "up") -> Case:
    """A wrong value in the environment."""
    shown = value if value and value == value.strip() else repr(value)
    return Case(f"{name}={value!r}", command.split(), [f"{name}={shown}", *says], environment={name: value})


def line(text: str, *says: str, command: str = "up") -> Case:
    """A wrong line in .env."""
    return Case(f".env {text!r}", command.split(), list(says), env_line=text)


def arguments(text: str, *says: str) -> Case:
    """A wrong command line."""
    return Case(f"lab {text}", text.split(), list(says))


CASES = [
    # Mechanisms.
    arguments("up pigeon", "MECHANISM pigeon", "fifo"),
    arguments("up fifo tpc", "MECHANISM tpc", "did you mean tcp?"),
    arguments("up pipe", "MECHANISM pipe", "did you mean anonymous_pipe?"),
    arguments("up shm", "MECHANISM shm", "did you mean posix_shm or sysv_shm?"),
    arguments("logs", "MECHANISM", "./lab logs --help"),
    arguments("logs shm", "MECHANISM shm", "did you mean posix_shm or sysv_shm?"),
    arguments("logs fifo --tail 0", "--tail 0", "1 to 10000"),
    # Exercises.
    arguments("exercise start 99", "NUMBER 99", "one of 1, 2", "./lab exercise list"),
    arguments("exercise start one", "NUMBER one", "./lab exercise list"),
    arguments("exercise begin 1", "COMMAND begin", "start"),
    arguments("exercise start 1 --language fr", "--language fr", "en or ko"),
    arguments("exercise start 1 --guess pair=fifo", "--guess pair=fifo", "arrives"),
    arguments("exercise start 1 --guess arrives=perhaps", "arrives=perhaps", "one of yes, no"),
    arguments("exercise progress --export /nowhere/at/all.json", "--export /nowhere/at/all.json", "folder that exists"),
    Case("no exercise begun", ["exercise", "check"], ["no exercise is begun"], {"XDG_STATE_HOME": "/nowhere"}),
    Case("another not begun", ["exercise", "hint", "1"], ["exercise 1 is not begun"], {"XDG_STATE_HOME": "/nowhere"}),
    Case(
        "solution before a try",
        ["exercise", "solution", "1"],
        ["was not tried yet", "./lab exercise solution 1 --now"],
        {"XDG_STATE_HOME": "/nowhere"},
    ),
    variable("LAB_STUDENT", "a/b", "a name of up to 60", command="exercise start 1 --yes"),
    arguments("help upp", "COMMAND upp", "did you mean up?"),
    arguments("help swarm sideways", "COMMAND sideways", "down, status, up"),
    arguments("help up fifo", "COMMAND fifo", "nothing after ./lab up"),
    arguments("version now", "now", "./lab version --help"),
    arguments("up sysv-shm", "MECHANISM sysv-shm", "did you mean sysv_shm?"),
    arguments("up FIFO", "MECHANISM FIFO", "did you mean fifo?"),
    arguments("load pigeon --rate 5", "MECHANISM pigeon"),
    arguments("swarm up pigeon", "MECHANISM pigeon", "fifo"),
    arguments("swarm down now", "now", "./lab swarm down --help"),
    arguments("load", "MECHANISM", "--all", "./lab load --help"),
    arguments("load stream", "load stream: expected MECHANISM or --all", "./lab load --all stream"),
    arguments("load fifo tcp bulky", "invalid LOAD bulky: expected one of idle, stream, bulk"),
    arguments("load fifo sysv_mq --size 9000", "--size 9000", "at most 8192 bytes with sysv_mq"),
    arguments("load fifo bulky", "invalid LOAD bulky: expected one of idle, stream, bulk", "did you mean bulk?"),
    arguments("load --all fifo", "invalid --all with fifo: expected one of them", "./lab load fifo"),
    arguments("load --all sream", "invalid LOAD sream", "did you mean stream?"),
    arguments("load --all stream bulk", "argument bulk: ./lab load takes no more"),
    arguments("load --all", "load --all without a load", "idle, stream, bulk", "--burst"),
    arguments("load --all idle --reset", "invalid --reset with idle"),
    arguments("load fifo --burst 0", "--burst 0", "1 to 1000"),
    arguments("load fifo --burst 1001", "--burst 1001", "1 to 1000"),
    arguments("load fifo --burst many", "--burst many", "a whole number from 1 to 1000"),
    arguments("load --all --rate 20 --burst 21", "invalid --burst 21: expected at most 20"),
    # Scales.
    arguments("up --scale sysv_mq", "--scale sysv_mq", "NAME.ROLE=NUMBER"),
    arguments("up --scale sysv_mq=3", "--scale sysv_mq=3", "NAME.ROLE=NUMBER"),
    arguments("up --scale pigeon.consumer=3", "--scale pigeon.consumer=3", "fifo"),
    arguments("up --scale sysvmq.consumer=3", "did you mean sysv_mq?"),
    arguments("up --scale sysv_mq.consumers=3", "consumer or producer as ROLE", "did you mean consumer?"),
    arguments("up --scale sysv_mq.consumer=three", "--scale sysv_mq.consumer=three", "1 to 8"),
    arguments("up --scale sysv_mq.consumer=0", "1 to 8"),
    arguments("up --scale sysv_mq.consumer=-1", "1 to 8"),
    arguments("up --scale sysv_mq.consumer=9", "1 to 8"),
    arguments("up --scale sysv_mq.consumer=", "1 to 8"),
    arguments("up --scale", "--scale", "requires an argument", "./lab up --help"),
    arguments("up --scale posix_shm.consumer=2", "posix_shm serves one consumer", "posix_mq, sysv_mq"),
    arguments("up --scale mmap_file.producer=2", "mmap_file serves one producer", "fifo", "sysv_mq"),
    arguments("up --scale fifo.consumer=2", "fifo serves one consumer", "posix_mq, sysv_mq"),
    arguments("up fifo --scale sysv_mq.consumer=2", "--scale sysv_mq.consumer=2", "this command: fifo", "name sysv_mq"),
    arguments("up --scale fifo.producer=2 --scale fifo.producer=3", "fifo.producer once"),
    variable("LAB_SYSV_MQ_TYPES", "9", "1 to 8"),
    variable("LAB_POSIX_MQ_PRIORITIES", "0", "1 to 8"),
    variable("LAB_SYSV_MQ_TYPES", "3", "at most 2 types", command="up sysv_mq --scale sysv_mq.consumer=2"),
    # Commands and options.
    arguments("upp", "COMMAND upp", "did you mean up?"),
    arguments("explode", "COMMAND explode", "status", "remove it)"),
    arguments("hosts", "./lab hosts without a command", "one of down, up (hint: ./lab hosts --help)"),
    arguments("swarm", "./lab swarm without a command", "one of down, status, up"),
    arguments("up --rate 5", "--rate", "expected one of"),
    arguments("load fifo --rat 5", "--rat", "did you mean --rate?"),
    arguments("status --jsno", "--jsno", "did you mean --json?"),
    arguments("status pigeon", "MECHANISM pigeon", "fifo"),
    arguments("status fifo --kernel", "status fifo --kernel", "./lab status fifo"),
    arguments("status --kernel --json", "status --kernel --json", "--json has all of it"),
    arguments("mechanisms --markdwon", "--markdwon", "did you mean --markdown?"),
    arguments("mechanisms --json --markdown", "--json with --markdown", "one of them"),
    arguments("mechanisms ffo", "ffo", "did you mean fifo?"),
    arguments("mechanisms fifo tcp", "tcp", "./lab mechanisms --help"),
    arguments("test --fast -k ring", "--fast -k ring", "./lab test -k ring"),
    arguments("bench fif", "invalid bench fif: expected one of anonymous_pipe", "did you mean fifo?"),
    arguments("bench fifo --cold", "--cold with fifo", "./lab bench footprint --cold"),
    arguments("bench --cold", "invalid --cold: expected --cold with footprint"),
    arguments("bench footprint --json", "--json with footprint", "./lab bench footprint"),
    arguments("bench instrumentation --quick", "--quick with instrumentation", "./lab bench instrumentation"),
    arguments("bench fifo footprint", "bench fifo footprint: expected footprint alone"),
    arguments("bench --shape both-ways", "--shape both-ways", "round-trip or one-way or burst"),
    arguments("bench --wait nap", "--wait nap", "block or spin"),
    arguments("bench --cpus three", "--cpus three", "one or two"),
    arguments("bench --copies some", "--copies some", "yes or no"),
    arguments("bench --sizes 8", "--sizes 8: expected sizes from 16 to 1048576 bytes", "64,1K,8K,64K,1M"),
    arguments("bench --sizes 64,,1K", "--sizes 64,,1K", "64,1K,8K,64K,1M"),
    arguments("bench --sizes 2M", "--sizes 2M: expected sizes from 16 to 1048576 bytes"),
    arguments("bench --repeat 0", "--repeat 0", "1 to 100"),
    arguments("bench --repeat many", "--repeat many", "1 to 100"),
    arguments("bench --compare /dev/null", "--compare /dev/null: expected the JSON of a bench"),
    arguments("bench --output /dev/null", "--output /dev/null", "a folder"),
    arguments("place", "MECHANISM", "./lab place --help"),
    arguments("place pigeon second_host", "MECHANISM pigeon", "fifo"),
    arguments("place sysv-shm second_host", "MECHANISM sysv-shm", "did you mean sysv_shm?"),
    arguments("place tcp second-host", "PLACEMENT second-host", "did you mean second_host?"),
    arguments("place tcp", "place tcp", "--back", "second_host"),
    arguments("place tcp second_host --back", "place tcp second_host --back", "./lab place tcp second_host"),
    arguments("place tcp same_container", "shared_ipc, ipc_namespace, shared_volume, second_host"),
    arguments("place fifo shared_volume", "shares only that", "--back"),
    arguments("hosts sideways", "sideways"),
    arguments("hosts up now", "now"),
    arguments("matrix --explain pigeon shared_ipc", "MECHANISM pigeon", "fifo"),
    arguments("matrix --explain fifo shared_ip", "PLACEMENT shared_ip", "did you mean shared_ipc?"),
    arguments("matrix --explain fifo moon", "PLACEMENT moon", "same_container, shared_ipc"),
    arguments("matrix --explain fifo", "--explain", "2 arguments", "./lab matrix --help"),
    arguments("matrix fifo", "argument fifo: ./lab matrix takes no more", "./lab matrix --help"),
    arguments("load fifo stream udp --rate 5", "argument udp: ./lab load takes no more"),
    arguments("matrix --json --markdown", "--json with --markdown", "one of them"),
    arguments("matrix --json --explain fifo shared_ipc", "--json with --explain", "one of them"),
    arguments("--verbose", "--verbose"),
    arguments("down now", "now", "./lab down --help"),
    arguments("reset fifo", "fifo", "./lab reset --help"),
    arguments("down --take-ovr", "--take-ovr", "did you mean --take-over?"),
    # Loads.
    arguments("load fifo", "--rate", "--size", "--reset"),
    arguments("load fifo --rate", "--rate", "--help"),
    arguments("load fifo --rate 0", "--rate 0", "1 to 1000000"),
    arguments("load fifo --rate -1", "--rate -1", "1 to 1000000"),
    arguments("load fifo --rate fast", "--rate fast", "1 to 1000000"),
    arguments("load fifo --rate 1.5", "--rate 1.5", "a whole number"),
    arguments("load fifo --rate 1e9", "--rate 1e9", "a whole number"),
    arguments("load fifo --rate 1000001", "--rate 1000001", "1 to 1000000"),
    arguments("load fifo --size 0", "--size 0", "64 to 1048576"),
    arguments("load fifo --size 63", "--size 63", "64 to 1048576"),
    arguments("load fifo --size 1048577", "--size 1048577", "64 to 1048576"),
    arguments("load fifo --size 1K", "--size 1K", "64 to 1048576"),
    arguments("load sysv_mq --size 8193", "--size 8193", "at most 8192 bytes", "sysv_mq"),
    arguments("load fifo --reset --rate 5", "--reset", "--rate 5"),
    # The race's lock.
    arguments("sync sysv_shm off", "./lab sync is called ./lab lock now", "(hint: ./lab lock sysv_shm off)"),
    arguments("lock fifo off", "lock fifo", "mmap_file, plain_file, posix_shm, sysv_shm"),
    arguments("lock fifo --reset", "lock fifo", "mmap_file, plain_file, posix_shm, sysv_shm"),
    arguments("lock pigeon off", "MECHANISM pigeon"),
    arguments("lock sysv_shm", "lock sysv_shm", "on, off or --reset"),
    arguments("lock sysv_shm off --reset", "lock sysv_shm off --reset", "one of them"),
    arguments("lock sysv_shm maybe", "STATE maybe", "on or off"),
    arguments("lock sysv_shm OFF", "STATE OFF", "on or off"),
    # Dashboards and reports.
    arguments("open overveiw", "DASHBOARD overveiw", "one of"),
    arguments("watch fifo", "fifo", "./lab watch --help"),
    arguments("report --since soon", "--since soon", "30s to 6h", "--since 15m"),
    arguments("report --since 0", "--since 0", "30s to 6h"),
    arguments("report --since 0m", "--since 0m", "30s to 6h"),
    arguments("report --since 29s", "--since 29s", "30s to 6h"),
    arguments("report --since 7h", "--since 7h", "30s to 6h", "the time that Prometheus keeps"),
    arguments("report --since -15m", "--since -15m", "30s to 6h"),
    arguments("report --since 1.5h", "--since 1.5h", "30s to 6h"),
    arguments("report --since 99999999h", "--since 99999999h", "30s to 6h"),
    arguments("report --output /dev/null", "--output /dev/null", "a folder"),
    arguments("report --output /dev/null/report", "--output /dev/null/report", "a folder"),
    arguments("report --output=", "--output ''", "a folder"),
    arguments(f"report --output {'x' * 300}", "--output xxx", "a folder"),
    arguments(f"class overview --output {'x' * 300}", "--output xxx", "a file in a folder that exists"),
    arguments(f"bundle create {'x' * 300}.tar", "FILE xxx", "a name that ends in .tar"),
    arguments("report monday", "monday", "./lab report --help"),
    # Speedups.
    arguments("soak fifo", "fifo", "./lab soak takes no more"),
    arguments("soak --minutes 0", "--minutes 0", "1 to 1440"),
    arguments("soak --minutes half", "--minutes half", "1 to 1440"),
    arguments("soak --seed -1", "--seed -1", "the seed that an earlier soak named"),
    arguments("soak --seed 1000000", "--seed 1000000", "0 to 999999"),
    arguments("speedup", "mechanism is missing", "./lab speedup --help"),
    arguments("speedup --mechanism pigeon", "--mechanism pigeon", "fifo"),
    arguments("speedup --mechanism sysv-mq", "--mechanism sysv-mq", "did you mean sysv_mq?"),
    arguments("speedup --mechanism sysv_mq --workers 0", "--workers 0", "1 to 16"),
    arguments("speedup --mechanism sysv_mq --workers 17", "--workers 17", "1 to 16"),
    arguments("speedup --mechanism sysv_mq --workers 1,two", "--workers 1,two", "1 to 16"),
    arguments("speedup --mechanism sysv_mq --workers 1,", "--workers 1,", "1,2"),
    arguments("speedup --mechanism sysv_mq --workers=", "--workers ''", "1,2"),
    arguments("speedup --mechanism sysv_mq --workers -1", "--workers -1", "1 to 16"),
    arguments("speedup --mechanism sysv_mq --job 9999", "--job 9999", "10000 to 2000000", "primes"),
    arguments("speedup --mechanism sysv_mq --job 2000001", "--job 2000001", "10000 to 2000000"),
    arguments("speedup --mechanism sysv_mq --job 1e6", "--job 1e6", "a whole number"),
    arguments("speedup --mechanism sysv_mq --chunks 0", "--chunks 0", "1 to 10000"),
    arguments("speedup --mechanism sysv_mq --rounds 101", "--rounds 101", "1 to 100"),
    arguments("speedup --mechanism sysv_mq --wrokers 2", "--wrokers", "did you mean --workers?"),
    arguments("speedup sysv_mq", "mechanism is missing", "./lab speedup --help"),
    # Settings in the environment.
    variable("LAB_RATE", "0", "1 to 1000000"),
    variable("LAB_RATE", "-1", "1 to 1000000"),
    variable("LAB_RATE", "fast", "1 to 1000000"),
    variable("LAB_RATE", "1.5", "a whole number"),
    variable("LAB_RATE", "1e9", "a whole number"),
    variable("LAB_RATE", "1_000", "a whole number"),
    variable("LAB_RATE", "", "a whole number"),
    variable("LAB_RATE", " 5", "a whole number"),
    variable("LAB_RATE", "٣", "a whole number"),
    variable("LAB_SIZE", "63", "64 to 1048576"),
    variable("LAB_SIZE", "10485760", "64 to 1048576"),
    variable("LAB_SIZE", "8193", "at most 8192 bytes", "sysv_mq"),
    variable("LAB_SIZE", "8193", "at most 8192 bytes", "sysv_mq", command="up tcp sysv_mq"),
    variable("LAB_RACE_LOCK", "maybe", "on or off"),
    variable("LAB_RACE_LOCK", "", "on or off"),
    variable("LAB_RACE_LOCK", "On", "on or off"),
    variable("LAB_APPEND_LOCK", "yes", "on or off"),
    variable("LAB_FILE_FSYNC", "1", "on or off"),
    variable("LAB_WAIT", "poll", "block or spin"),
    variable("LAB_WAIT", "", "block or spin"),
    variable("LAB_RACE_LOKC", "off", "did you mean LAB_RACE_LOCK?"),
    variable("LAB_SYNC", "off", "LAB_SYNC is called LAB_RACE_LOCK now"),
    variable("LAB_FILE_LOCK", "off", "LAB_FILE_LOCK is called LAB_APPEND_LOCK now"),
    variable("LAB_SYSV_SHM_KEY", "0", "1 to 2147483647"),
    variable("LAB_SYSV_SHM_KEY", "2147483648", "1 to 2147483647"),
    variable("LAB_SYSV_SHM_KEY", "0x4950", "a whole number"),
    variable("LAB_SYSV_MQ_KEY", "-5", "1 to 2147483647"),
    variable("LAB_SYSV_MQ_KEY", "1229996033", "LAB_SYSV_SHM_KEY"),
    variable("LAB_RESPONDER_KEY", "0", "1 to 2147483647"),
    variable("LAB_RESPONDER_KEY", "1229996030", "LAB_SYSV_SHM_KEY=1229996033"),
    variable("LAB_RESPONDER_KEY", "1229996029", "LAB_SYSV_SHM_KEY=1229996033"),  # its replies have a semaphore there
    variable("LAB_RESPONDER_KEY", "1229996034", "LAB_SYSV_SHM_KEY=1229996033"),
    variable("LAB_RESPONDER_KEY", "1229996049", "LAB_SYSV_MQ_KEY=1229996049"),
    variable("LAB_TCP_PORT", "65536", "1 to 65535"),
    variable("LAB_TCP_PORT", "http", "1 to 65535"),
    variable("LAB_TCP_PORT", "9464", "metrics"),
    variable("LAB_UDP_PORT", "9464", "metrics"),
    *(
        variable("LAB_CPUS", cpus, "from 0 to")
        for cpus in (" ", "one", "-1", "0,", "0,,1", "1-0", "0-", "0-1-2", "99999", "0-99999", "0 1", "00", "0.5")
    ),
    variable("LAB_IMAGE_TAG", "a tag", "128 letters"),
    variable("LAB_PROMETHEUS_PORT", "0", "1 to 65535"),
    variable("LAB_PROMETHEUS_PORT", "090", "a whole number"),
    variable("LAB_GRAFANA_PORT", "70000", "1 to 65535"),
    variable("LAB_GRAFANA_PORT", "9090", "LAB_PROMETHEUS_PORT"),
    variable("LAB_GRAFANA_URL", "grafana", "http://HOST:PORT"),
    variable("LAB_GRAFANA_URL", "http://127.0.0.1:port", "http://HOST:PORT"),
    variable("LAB_GRAFANA_URL", "ftp://127.0.0.1", "http://HOST:PORT"),
    *(
        Case(
            f"LAB_GRAFANA_URL {it!r}",
            ["up"],
            ["LAB_GRAFANA_URL=host"],
            {"LAB_GRAFANA_URL": f"http://us{it}er:word@host"},
        )
        for it in ("\n", "\udcbe")  # a byte that is no UTF-8 becomes such a half of a pair
    ),
    variable("LAB_RAET", "5", "did you mean LAB_RATE?"),
    variable("LAB_COLOUR", "blue", "LAB_RATE, LAB_SIZE", "LAB_CPUS, LAB_IMAGE_TAG, LAB_GRAFANA_URL"),
    variable("LAB_CPU", "0", "did you mean LAB_CPUS?"),
    variable("COMPOSE_PROJECT_NAME", "My Lab", "a-z"),
    variable("COMPOSE_PROJECT_NAME", "", "a-z"),
    variable("COMPOSE_PROJECT_NAME", "_lab", "a-z", command="down"),
    variable("PYTHON_IMAGE", "", "image"),
    variable("PROMETHEUS_IMAGE", "Prom:v3", "image"),
    variable("GRAFANA_IMAGE", "grafana grafana", "image"),
    variable("ENGINE_IMAGE", "docker dind", "image", command="hosts up"),
    # The same through the other commands.
    variable("LAB_RATE", "0", "1 to 1000000", command="status"),
    variable("LAB_RATE", "0", "1 to 1000000", command="load fifo --rate 5"),
    variable("LAB_RAET", "5", "did you mean LAB_RATE?", command="status --json"),
    # Settings in .env.
    line("LAB_RATE=0", "LAB_RATE=0", ".env"),
    line("LAB_SIZE=9999999", "LAB_SIZE=9999999", ".env"),
    line("LAB_SZIE=64", "LAB_SZIE=64", "did you mean LAB_SIZE?"),
    line("LAB_RATE", ".env line", "LAB_RATE", "NAME=value"),
    line("= 5", ".env line", "= 5", "NAME=value"),
    line("LAB RATE=5", ".env line", "LAB RATE=5"),
    line("LAB_RATE='5", ".env line", "LAB_RATE='5"),
    line("COMPOSE_PROJECT_NAME=My/Lab", "COMPOSE_PROJECT_NAME=My/Lab", command="down"),
]


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: case.id + (f" {' '.join(case.arguments)}" if case.environment else "")
)
def test_refused_in_one_line(case: Case, tmp_path: Path) -> None:
    env_file = make_lab(tmp_path)
    if case.env_line is not None:
        with env_file.open("a") as file:
            file.write(f"{case.env_line}\n")
    assert_refused(run_lab(tmp_path, case.arguments, case.environment), case.says)


def _missing(path: Path) -> None:
    path.unlink()


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def _latin_1(path: Path) -> None:
    path.write_bytes(b"# caf\xe9\nLAB_RATE=5\n")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_missing, "No such file"),
        (_directory, "Is a directory"),
        (_loop, "symbolic links"),
        (_latin_1, "0xe9"),
        (_empty, "LAB_RATE is not set"),
    ],
)
@pytest.mark.parametrize("command", ["up", "status", "load fifo --rate 5"])
def test_unreadable_env_file(spoil: Callable[[Path], None], says: str, command: str, tmp_path: Path) -> None:
    spoil(make_lab(tmp_path))
    assert_refused(run_lab(tmp_path, command.split(), {}), [".env", says])


@contextmanager
def listening() -> Iterator[int]:
    """A port that somebody else has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("name", PUBLISHED_PORTS)
def test_port_in_use(name: str, tmp_path: Path) -> None:
    """The engine is asked whose the port is, so there must be one."""
    socket_path = Path("/var/run/docker.sock")
    if not os.access(socket_path, os.R_OK | os.W_OK):
        pytest.skip(f"no Docker Engine to be used at {socket_path}")
    make_lab(tmp_path)
    with listening() as port:
        environment = {"DOCKER_HOST": f"unix://{socket_path}", "COMPOSE_PROJECT_NAME": f"ipclabports{os.getpid()}"}
        result = run_lab(tmp_path, ["up"], {**environment, **free_ports(), name: str(port)})
    assert_refused(result, [f"{name}={port}", "in use"])


def _no_engine(folder: Path) -> None:
    del folder


def _forbidden(folder: Path) -> None:
    """A socket that listens and may not be written to; connect(2) fails with EACCES for anyone but root."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "no-engine.sock"))
    (folder / "no-engine.sock").chmod(0)


@pytest.mark.parametrize("make", [_no_engine, _forbidden])
@pytest.mark.parametrize("command", ["up", "reset", "watch", "open"])
def test_an_engine_that_cannot_be_used_is_named_before_any_port(
    make: Callable[[Path], None], command: str, tmp_path: Path
) -> None:
    make_lab(tmp_path)
    make(tmp_path)
    with listening() as port, listening() as other:
        taken = {"LAB_PROMETHEUS_PORT": str(port), "LAB_GRAFANA_PORT": str(other)}
        result = run_lab(tmp_path, [command], {**free_ports(), **taken, **OWN_PROJECT})
    assert result.returncode == 1, result
    (line,) = result.stderr.splitlines()
    assert f"no Docker Engine answers at unix://{tmp_path}/no-engine.sock" in line
    assert "DOCKER_HOST says so" in line
    assert str(port) not in line
    assert "LAB_PROMETHEUS_PORT" not in line


def test_help_needs_nothing(tmp_path: Path) -> None:
    make_lab(tmp_path).unlink()
    for command in (
        "",
        "up",
        "down",
        "reset",
        "status",
        "fork",
        "load",
        "lock",
        "mechanisms",
        "matrix",
        "place",
        "hosts",
        "hosts up",
        "speedup",
        "doctor",
        "test",
    ):
        result = run_lab(tmp_path, [*command.split(), "--help"], {"LAB_RATE": "0"})
        assert result.returncode == 0, result.stderr
        assert "./lab" in result.stdout
