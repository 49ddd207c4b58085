"""What the two containers of a place share, as the engine is asked for it; the lab test starts them."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from labctl.experiments.bench.cells import Place
from labctl.experiments.bench.containers import BenchContainers, places
from labctl.experiments.bench.link import Group


def asked(place: Place, cpus: str = "") -> list[dict[str, Any]]:
    """The keywords with which the engine is asked for the containers of a place."""
    client = Mock()
    client.api.api_version = "1.41"
    client.containers.create.side_effect = lambda *_, **keywords: Mock(id="c0ffee", keywords=keywords)
    containers = BenchContainers(client, "ipclab", "ipclab/lab:local", cpus)
    first = containers._create(place, Group.CONSUMER, "name", None)
    second = containers._create(place, Group.PRODUCER, "name", first)
    return [first.keywords, second.keywords]


@pytest.mark.parametrize("place", Place)
def test_a_place_shares_what_it_is_named_after_and_no_more(place: Place) -> None:
    consumer, producer = asked(place)
    assert (producer["ipc_mode"] == "container:c0ffee") is (place is Place.IPC)
    assert consumer["ipc_mode"] == ("shareable" if place is Place.IPC else "private")
    for one in (consumer, producer):
        assert ("volumes" in one) is (place is Place.VOLUME)
        assert (one.get("network_mode") == "none") is (place is not Place.NETWORK)
        assert one["read_only"]
        assert one["cap_drop"] == ["ALL"]
        assert one["stdin_open"]
        assert one["labels"]["com.docker.compose.project"] == "ipclab"
    if place is Place.NETWORK:
        assert consumer["network"] == producer["network"] == "name"


def test_they_run_on_the_cpus_of_the_lab() -> None:
    assert {one["cpuset_cpus"] for one in asked(Place.VOLUME, "0")} == {"0"}
    assert {one["cpuset_cpus"] for one in asked(Place.VOLUME)} == {None}


def test_each_place_is_started_once_in_one_order() -> None:
    assert places([Place.VOLUME, Place.IPC, Place.VOLUME]) == [Place.IPC, Place.VOLUME]
