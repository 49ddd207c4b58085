"""Two labs of a class beside the lab of all tests: what they share and what not, one table, and nothing left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from docker.models.containers import Container

from lab.harness.stack import PROJECT, ROOT, Stack, printed
from labctl.config import compose_file

_CLASS = f"{PROJECT}class"
_LABS = (f"{_CLASS}-s01", f"{_CLASS}-s02")
_FIRST = ("--pairs", "posix_mq", "--first-port", "28000")


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[Path]:
    """The class, up, and its cards."""
    cards = tmp_path_factory.mktemp("class") / "cards.html"
    up = stack.lab(
        "class",
        "up",
        "2",
        *_FIRST,
        "--seed",
        "autumn",
        "--overcommit",
        "--output",
        str(cards),
        COMPOSE_PROJECT_NAME=_CLASS,
    )
    try:
        assert up.returncode == 0, up.stderr
        yield cards
    finally:
        stack.lab("class", "down", COMPOSE_PROJECT_NAME=_CLASS)


@pytest.fixture
def of_class(group: Path) -> dict[str, dict[str, Container]]:
    """Service to container of each lab."""
    del group
    return {name: Stack(name).containers() for name in _LABS}


def test_each_lab_has_a_user_of_its_own_for_its_queue(
    of_class: dict[str, dict[str, Container]],
) -> None:
    users = {printed(found["posix-mq-consumer"], ["id", "-u"]).strip() for found in of_class.values()}
    assert len(users) == len(_LABS)
    assert "10001" not in users, "the user of the lab of all tests"


def test_the_networks_are_small_and_composes_own(stack: Stack, group: Path) -> None:
    del group
    subnets = []
    for name in _LABS:
        networks = stack.client.networks.list(filters={"label": f"com.docker.compose.project={name}"})
        assert {network.name for network in networks} == {f"{name}_{each}" for each in compose_file.networks()}
        subnets += [ip_network(network.attrs["IPAM"]["Config"][0]["Subnet"]) for network in networks]
        internal = {network.name.removeprefix(f"{name}_"): network.attrs["Internal"] for network in networks}
        assert internal == {each: bool(said.get("internal")) for each, said in compose_file.networks().items()}
    assert {subnet.prefixlen for subnet in subnets} == {26}
    assert len(set(subnets)) == len(subnets)


def test_one_table_shows_that_all_move(stack: Stack, group: Path) -> None:
    cards = group.read_text(encoding="utf-8")
    status = stack.lab("class", "status", COMPOSE_PROJECT_NAME=_CLASS)
    assert status.returncode == 0, status.stderr
    roster = json.loads((ROOT / "class" / f"{_CLASS}.json").read_text(encoding="utf-8"))
    for student in roster["students"]:
        page = f"127.0.0.1:{student['environment']['LAB_PAGE_PORT']}"
        row = next(line for line in status.stdout.splitlines() if line.startswith(student["project"]))
        assert "1 of 1" in row, row
        assert page in row, row
        assert f"http://{page}" in cards
    assert "2 of 2 labs run" in status.stdout
    file = group.with_name("overview.html")
    overview = stack.lab("class", "overview", "--output", str(file), COMPOSE_PROJECT_NAME=_CLASS)
    assert overview.returncode == 0, overview.stderr
    html = file.read_text(encoding="utf-8")
    assert html.count('href="http://127.0.0.1:') == len(_LABS)
    assert "▲ " not in html


def test_labs_that_do_not_fit_start_nothing(stack: Stack) -> None:
    other = f"{_CLASS}x"
    refused = stack.lab("class", "up", "200", *_FIRST, LAB_RATE="1000000", COMPOSE_PROJECT_NAME=other)
    assert refused.returncode == 2, refused.stderr
    assert re.search(r"labs? of this shape fits?; the \d+\w\w lacks \w+", refused.stderr), refused.stderr
    assert Stack(f"{other}-s01").leftovers() == []
    assert not list((ROOT / "class").glob(f"{other}*"))


def test_down_leaves_nothing(stack: Stack, group: Path) -> None:
    del group
    done = stack.lab("class", "down", COMPOSE_PROJECT_NAME=_CLASS)
    assert done.returncode == 0, done.stderr
    assert [Stack(name).leftovers() for name in _LABS] == [[], []]
    assert not list((ROOT / "class").glob(f"{_CLASS}*"))
