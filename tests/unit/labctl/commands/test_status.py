"""What `./lab status` makes of what the engine and Prometheus say."""

from __future__ import annotations

from typing import Any

import pytest

from ipclab.runtime.overrides import Load
from labctl.commands import pair_table, status
from labctl.lab.containers import require_running, seconds
from labctl.lab.costs import Cost, cost
from labctl.lab.ports import free_port
from labctl.lab.prometheus import Prometheus, PrometheusSilent
from labctl.measured import namespace_split, pairs
from labctl.measured.kernel_objects import KernelObjects
from labctl.measured.races import Race
from labctl.terminal.errors import LabError
from labctl.terminal.printing import duration
from support.containers import container
from support.prometheus import Vector, prometheus_that_says, scraped

FIFO = {"mechanism": "fifo"}


def test_every_figure_of_a_pair() -> None:
    name = "ipc_messages_lost_total"
    lost = [
        ({**FIFO, "__name__": name, "reason": reason}, n) for reason, n in (("channel", 4.0), ("consumer_restart", 0.0))
    ]
    zeros = dict.fromkeys(("messages_duplicate", "messages_reordered", "messages_corrupt", "messages_skipped"), 0.0)
    with prometheus_that_says(
        {
            "__name__": lost + scraped(messages_sent=105, messages_received=100, kernel_drops=3, **zeros),
            "in_flight": [(FIFO, 1.4)],
            "received:rate5s": [(FIFO, 199.75)],
            "part:ipc_message_part": [
                ({**FIFO, "part": part}, value) for part, value in (("transit", 6e-5), ("send", 9e-6), ("late", 2e-5))
            ],
            "ipc_message_channel": [(FIFO, 4.6e-5)],
            "ipc_wake_seconds": [(FIFO, 5e-6)],
            "p50_5s": [(FIFO, 0.0001)],
            "p99_5s": [(FIFO, 0.002)],
            "cpus_info": [({**FIFO, "cpus": "two"}, 1.0), ({**FIFO, "cpus": "one"}, 1.0)],
            "wait_info": [({**FIFO, "wait": "poll"}, 1.0)],
            "load_rate": [(FIFO, 200.0)],
            "size_bytes": [(FIFO, 1024.0)],
            "load_burst": [(FIFO, 1.0)],
            "cpu_seconds_per_message": [(FIFO, 8e-5)],
            "context_switches_per_message": [(FIFO, 2.25)],
        }
    ) as prometheus:
        (pair,) = pairs.measure(prometheus, ["fifo"])
    assert pair.as_json() == {
        "mechanism": "fifo",
        "sent": 105,
        "received": 100,
        "lost": 4,
        "lost_by_reason": {"channel": 4, "consumer_restart": 0},
        "duplicated": 0,
        "reordered": 0,
        "corrupt": 0,
        "skipped": 0,
        "kernel_drops": 3,
        "in_flight": 1,
        "rate": 199.75,
        "load_rate": 200,
        "size_bytes": 1024,
        "burst": 1,
        "cpu_seconds_per_message": 8e-5,
        "context_switches_per_message": 2.25,
        "one_way_p50_seconds": 0.0001,
        "one_way_p99_seconds": 0.002,
        "wait": "poll",
        "parts": {"late": 2e-5, "send": 9e-6, "transit": 6e-5, "channel": 4.6e-5, "wake": 5e-6},
        "cpus": "one, two",
    }


def test_the_table_says_how_each_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    with prometheus_that_says(
        {
            "cpus_info": [({"mechanism": name, "cpus": "two"}, 1.0) for name in ("fifo", "plain_file", "tcp")],
            "wait_info": [({"mechanism": name, "wait": "block"}, 1.0) for name in ("fifo", "tcp")]
            + [({"mechanism": "plain_file", "wait": "poll"}, 1.0)],
        }
    ) as prometheus:
        pair_table.show_pairs(pairs.measure(prometheus, ["fifo", "plain_file", "tcp"]))
    assert "LAB_CPUS: two. Waiting receivers: block; plain_file poll.\n" in capsys.readouterr().out


def test_a_pair_whose_messages_are_smaller_says_so_and_what_a_mebibyte_costs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sizes = {"fifo": 65_536.0, "sysv_mq": 8192.0, "posix_mq": 8192.0}
    with prometheus_that_says(
        {
            "size_bytes": [({"mechanism": name}, size) for name, size in sizes.items()],
            "load_rate": [({"mechanism": name}, 200.0) for name in sizes],
            "load_burst": [({"mechanism": name}, 8.0) for name in sizes],
            "cpu_seconds_per_message": [({"mechanism": name}, 5e-5) for name in sizes],
        }
    ) as prometheus:
        pair_table.show_pairs(pairs.measure(prometheus, list(sizes)))
    text = capsys.readouterr().out
    assert "Load: bulk 200/s of 8 KiB (its limit) in bursts of 8; fifo bulk 200/s of 64 KiB in bursts of 8.\n" in text
    assert [line.split()[3:8] for line in text.splitlines() if line.startswith("fifo")] == [
        ["-", "50.0", "µs", "800", "µs"]
    ]


def test_what_is_not_measured_is_null_and_not_zero() -> None:
    with prometheus_that_says({}) as prometheus:
        (pair,) = pairs.measure(prometheus, ["fifo"])
    empty = ("mechanism", "lost_by_reason", "parts")
    figures = {key: value for key, value in pair.as_json().items() if key not in empty}
    assert set(figures.values()) == {None}


def test_a_silent_prometheus_is_one_line_with_its_address() -> None:
    port = free_port()
    with pytest.raises(PrometheusSilent, match=rf"http://127\.0\.0\.1:{port}: nothing listens there \(hint: "):
        Prometheus(port).query("up")


def test_the_load_counts_as_taken_up_when_no_other_was_seen() -> None:
    load = Load(500, 64, 5)
    shows: dict[str, Vector] = {"load_rate": [(FIFO, 500.0)], "size": [(FIFO, 64.0)], "burst": [(FIFO, 5.0)]}
    with prometheus_that_says(shows) as prometheus:
        assert pairs.present_loads(prometheus) == {"fifo": load}
        assert pairs.pairs_with_loads(prometheus, {"fifo": load, "tcp": load}) == {"fifo"}
        for other in (Load(501, 64, 5), Load(500, 65, 5), Load(500, 64, 1)):
            assert not pairs.pairs_with_loads(prometheus, {"fifo": other})
    changing: dict[str, Vector] = {"min_over_time(ipc_load_rate": [(FIFO, 200.0)], **shows}
    with prometheus_that_says(changing) as prometheus:
        assert not pairs.pairs_with_loads(prometheus, {"fifo": load})


def test_a_member_in_another_namespace_than_its_holder_is_a_split() -> None:
    holder = container("holder")
    behind, together, alone = (
        container("sysv-shm-consumer", joins_ipc_of=holder.id),
        container("sysv-shm-producer", joins_ipc_of=holder.id),
        container("fifo-consumer"),
    )
    found = [holder, behind, together, alone]
    inodes = zip(found, ("2", "1", "2", "3"), strict=True)
    info: Vector = [({"container": member.id, "ipc": inode}, 1.0) for member, inode in inodes]
    with prometheus_that_says({"ipc_namespace_info": info}) as prometheus:
        (split,) = namespace_split.find(prometheus, found)
    assert split.member is behind
    assert (split.inode, split.holder_service, split.holder_inode) == ("1", "holder", "2")
    namespace_split.heal([split])
    behind.docker.restart.assert_called_once()
    holder.docker.restart.assert_not_called()


def stats(**changes: Any) -> dict[str, Any]:
    """An answer of the engine's stats call: a quarter of a core over two seconds."""
    return {
        "read": "2026-01-01T00:00:03.500000000Z",
        "preread": "2026-01-01T00:00:01.500000000Z",
        "cpu_stats": {"cpu_usage": {"total_usage": 1_500_000_000}},
        "precpu_stats": {"cpu_usage": {"total_usage": 1_000_000_000}},
        "memory_stats": {"usage": 30_000, "stats": {"inactive_file": 10_000}},
    } | changes


def test_cost_of_a_container() -> None:
    assert cost(stats()) == Cost(memory_bytes=20_000, cpu_share=0.25)
    v1 = {"usage": 30_000, "stats": {"total_inactive_file": 5_000}}
    assert cost(stats(memory_stats=v1)) == Cost(memory_bytes=25_000, cpu_share=0.25)


def test_a_container_that_has_just_ended_has_no_cost() -> None:
    assert cost(stats(memory_stats={})) == Cost(None, None)
    assert cost(stats(preread="0001-01-01T00:00:00Z")) == Cost(None, None)


def test_the_document_says_what_is_known() -> None:
    producer = container("fifo-producer", state="exited", health="unhealthy", exit_code=137, oom_killed=True)
    document = status.as_document("lab", [], KernelObjects([], [], [], 1, 2), [producer], {}, [])
    assert document["kernel"]["dev_shm_limit_bytes"] == 2
    assert document["containers"] == [
        {
            "service": "fifo-producer",
            "number": 1,
            "id": "id-of-fifo-producer",
            "state": "exited",
            "health": "unhealthy",
            "exit_code": 137,
            "memory_bytes": None,
            "cpu_share": None,
        }
    ]
    assert producer.describe() == "exited, killed: out of memory, unhealthy"


def test_the_document_has_the_races() -> None:
    found = Race("sysv_shm", sync=False, now=True, updates=9, updates_lost=4, records_read=5, records_torn=1)
    document = status.as_document("lab", [], KernelObjects([], [], [], 1, 2), [], {}, [], [found])
    assert document["races"] == [
        {
            "mechanism": "sysv_shm",
            "sync": False,
            "now": True,
            "updates": 9,
            "updates_lost": 4,
            "records_read": 5,
            "records_torn": 1,
        }
    ]


def test_stopped_containers_are_no_running_lab() -> None:
    with pytest.raises(LabError, match=r"ipclab is not running \(hint: \./lab up"):
        require_running([], "ipclab")
    with pytest.raises(LabError, match="2 of its containers are stopped"):
        require_running([container("a", state="exited"), container("b", state="created")], "ipclab")
    require_running([container("a", state="exited"), container("b")], "ipclab")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.0, "0.0 µs"),
        (1.23e-6, "1.2 µs"),
        (0.000_999_4, "999 µs"),
        (0.000_999_6, "1.0 ms"),
        (0.123_4, "123 ms"),
        (0.999_6, "1.00 s"),
        (17.0, "17.00 s"),
    ],
)
def test_durations_have_a_unit(value: float | None, text: str) -> None:
    assert duration(value) == text


def test_docker_time() -> None:
    assert seconds("1970-01-01T00:00:01.250000001Z") == pytest.approx(1.25)
    assert seconds("1970-01-01T00:01:00Z") == 60.0
    assert seconds("0001-01-01T00:00:00Z") == 0.0
