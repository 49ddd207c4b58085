"""The matrix as it is computed and shown; that it is measured, tests/lab/test_matrix.py says."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from ipclab import mechanisms
from ipclab.contract.channel import Sharing
from ipclab.contract.errors import NO_ANSWER, NOT_TOLD, WRONG_ANSWER
from ipclab.matrix import errno_rules
from ipclab.matrix.placement import SHARED, Placement, PodPlacement, reachable
from ipclab.matrix.probe import QUESTION_BYTES, QUESTIONS, REMEMBERED
from labctl.config import compose_file
from labctl.config.compose_file import PUBLISHED_RESPONDER
from labctl.lab.probes import placement_of, placements_shown
from labctl.lab.prometheus import Prometheus, Sample
from labctl.matrix import cells as reachability
from labctl.matrix import table
from labctl.matrix.cells import Cell
from labctl.matrix.table import as_json, as_markdown, in_words, reason_lines, require_as_predicted, time_in_words
from labctl.terminal.errors import LabError

README = Path(__file__).resolve().parents[4] / "README.md"
LOCAL = (
    Placement.SAME_CONTAINER,
    Placement.SHARED_IPC,
    Placement.IPC_NAMESPACE,
    Placement.SHARED_VOLUME,
    Placement.SHARED_NETWORK,
)


def cell(mechanism: str, placement: Placement, error: str | None = None) -> Cell:
    """A measured cell: reached where `error` is empty, not measured where it is None."""
    if error is None:
        return Cell(mechanism, placement, None, None, None, "")
    return Cell(mechanism, placement, not error, None if error else 33e-6, 0.004, error)


class Answers(Prometheus):
    """Gives out fixed samples."""

    def __init__(self, samples: dict[str, list[Sample]]) -> None:
        self._samples = samples

    def query(self, expression: str) -> list[Sample]:
        name = next(name for name in reversed(self._samples) if name in expression)
        return self._samples[name]


def test_each_placement_shares_what_its_name_says() -> None:
    whole = {Placement.SAME_CONTAINER, PodPlacement.SAME_POD}
    for place, shared in SHARED.items():
        if place in whole:
            assert shared == set(Sharing)
        else:
            assert len(shared) == (2 if place is Placement.SHARED_IPC else 1)
    for name in mechanisms.names():
        traits = mechanisms.load(name).traits
        assert reachable(traits, Placement.SAME_CONTAINER)
        assert [p for p in LOCAL[1:] if reachable(traits, p)] == [p for p in LOCAL[1:] if SHARED[p] & traits.requires]


def test_the_namespace_alone_tells_posix_shm_from_the_other_three() -> None:
    def reached(place: Placement) -> set[str]:
        return {name for name in mechanisms.names() if reachable(mechanisms.load(name).traits, place)}

    assert reached(Placement.SHARED_IPC) - reached(Placement.IPC_NAMESPACE) == {"posix_shm"}
    assert reached(Placement.IPC_NAMESPACE) == {"sysv_shm", "sysv_mq", "posix_mq"}


def test_the_services_of_compose_are_placements() -> None:
    assert placements_shown([]) == list(LOCAL)
    assert placements_shown([Placement.SECOND_HOST]) == list(Placement)
    assert [placement_of(service) for service in compose_file.matrix_services()] == list(LOCAL)
    assert placement_of("probe-the-moon") is None
    assert placement_of("fifo-consumer") is None
    for stand_in in (compose_file.SECOND_HOST, PUBLISHED_RESPONDER):
        assert placement_of(stand_in) is Placement.SECOND_HOST


@pytest.mark.parametrize("name", mechanisms.names())
def test_every_error_that_is_to_be_expected_has_its_rule(name: str) -> None:
    traits = mechanisms.load(name).traits
    remote = {"EAI_AGAIN", "EAI_NONAME", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", NOT_TOLD}
    usual = remote if Sharing.NETWORK in traits.requires else {"ENOENT", "EACCES"}
    for error in usual | {"ECONNREFUSED", "EAGAIN", NO_ANSWER, WRONG_ANSWER}:
        found = errno_rules.reason(traits, error)
        assert "no rule" not in found.sentence
        assert re.match(r"[\w.-]+\([1-8]\)|ipclab\.\w+", found.source)
    unexpected = errno_rules.reason(traits, "EPROTO")
    assert unexpected.sentence.startswith("Protocol error")
    assert errno.EPROTO


def test_a_cell_that_differs_is_named() -> None:
    good = [cell("tcp", Placement.SHARED_NETWORK, ""), cell("tcp", Placement.SHARED_IPC, "ENETUNREACH")]
    require_as_predicted(good)
    bad = [
        cell("fifo", Placement.SHARED_VOLUME, "EACCES"),
        cell("fifo", Placement.SHARED_IPC, ""),
        cell("udp", Placement.SHARED_NETWORK),
    ]
    for wrong in bad:
        with pytest.raises(LabError) as raised:
            require_as_predicted([*good, wrong])
        assert raised.value.exit_code == 1
        text = str(raised.value)
        assert "1 of 3 cells" in text
        assert f"{wrong.mechanism} from {wrong.placement} is {in_words(wrong)}" in text
        assert f"--explain {wrong.mechanism} {wrong.placement}" in text


def test_a_placement_without_a_probe_is_named_once_with_what_starts_it() -> None:
    good = cell("tcp", Placement.SHARED_NETWORK, "")
    silent = [cell(name, Placement.SECOND_HOST) for name in mechanisms.names()]
    with pytest.raises(LabError, match="nothing is measured from second_host") as raised:
        require_as_predicted([good, *silent])
    assert "./lab hosts up" in str(raised.value)


def test_cells_are_read_from_what_the_probes_export() -> None:
    fifo = {"mechanism": "fifo", "placement": "shared_volume"}
    shm = {"mechanism": "sysv_shm", "placement": "shared_volume"}
    answers = Answers(
        {
            "probe_success": [Sample(fifo, 1.0), Sample(shm, 0.0)],
            "probe_round_trip_seconds": [Sample(fifo, 33e-6)],
            "probe_duration_seconds": [Sample(fifo, 0.004), Sample(shm, 0.0003)],
            "probe_error_info": [Sample({**shm, "error": "ENOENT"}, 1.0)],
            "probe_round_trip_tries": [Sample(fifo, 15.0)],
            "bound='lowest'": [Sample(fifo, 30e-6)],
            "bound='highest'": [Sample(fifo, 41e-6)],
        }
    )
    cells = {c.mechanism: c for c in reachability.read(answers, [Placement.SHARED_VOLUME])}
    assert cells["fifo"] == Cell("fifo", Placement.SHARED_VOLUME, True, 33e-6, 0.004, "", (30e-6, 41e-6), 15)
    assert (in_words(cells["fifo"]), time_in_words(cells["fifo"])) == ("✓", "33.0 µs (30.0 to 41.0 µs)")
    assert time_in_words(cells["sysv_shm"]) == "-"
    assert cells["sysv_shm"] == Cell("sysv_shm", Placement.SHARED_VOLUME, False, None, 0.0003, "ENOENT")
    assert cells["tcp"].success is None
    assert not cells["tcp"].as_predicted
    assert in_words(cells["tcp"]) == "not measured"
    assert set(cells) == set(mechanisms.names())


def test_a_cell_for_machines_says_why() -> None:
    shown = as_json(cell("sysv_mq", Placement.SHARED_NETWORK, "ENOENT"))
    assert (shown["success"], shown["predicted"], shown["as_predicted"]) == (False, False, True)
    assert shown["source"] == "ipc_namespaces(7)"
    assert as_json(cell("sysv_mq", Placement.SHARED_IPC, ""))["reason"] is None


def test_a_rule_is_said_once() -> None:
    cells = [cell(name, Placement.SHARED_NETWORK, "ENOENT") for name in ("fifo", "mmap_file", "sysv_mq")]
    lines = reason_lines(cells)
    assert [line for line in lines if line.startswith("✗")] == ["✗ ENOENT (fifo, mmap_file):", "✗ ENOENT (sysv_mq):"]


def _rows(table: str) -> dict[str, list[str]]:
    """Mechanism to its cells."""
    found = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)
    return {name: cells.split(" | ") for name, cells in found}


# Measured with Docker Engine 20.10, whose internal networks have a route, and a firewall that drops what takes it.
_NO_WAY = {"tcp": "ETIMEDOUT", "udp": NO_ANSWER}


def _as_measured(placements: Sequence[Placement]) -> list[Cell]:
    return [
        cell(
            name,
            place,
            "" if reachable(traits, place) else _NO_WAY.get(name, "ENOENT"),
        )
        for name in mechanisms.names()
        for place in placements
        for traits in [mechanisms.load(name).traits]
    ]


def test_the_table_of_readme_is_not_outdated() -> None:
    """`./lab matrix --markdown` prints it anew."""
    assert _rows(README.read_text()) == _rows(as_markdown(_as_measured(tuple(Placement)), tuple(Placement)))


def test_the_conditions_of_the_round_trips_are_those_of_the_probe() -> None:
    words = " ".join(table._TIMES_CONDITIONS)
    assert f"{QUESTION_BYTES} B each way, up to {QUESTIONS} a try" in words
    assert f"the last tries, {REMEMBERED} tries" in words
    described = (README.parent / "dashboards" / "json" / "hosts.json").read_text(encoding="utf-8")
    assert f"A try sends up to {QUESTIONS} requests" in described
    assert f"the median of the last {REMEMBERED} tries" in described
