"""Every container of the lab holds the CIS Docker Benchmark, but for what docs/SECURITY.md excepts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from docker.models.containers import Container

from lab.harness import cis_benchmark
from lab.harness.stack import Stack
from labctl.config import compose_file
from labctl.config.compose_file import SECOND_HOST, SWARM_MANAGER


def test_the_table_has_every_item_once() -> None:
    assert tuple(cis_benchmark.table()) == cis_benchmark.ITEMS


@pytest.fixture(scope="module")
def made_by_the_command_line(stack: Stack) -> Iterator[Container]:
    """As bench, speedup and the student's program have it: `compose_file.of_every_container`."""
    image = stack.container("holder").attrs["Config"]["Image"]
    labels = {"com.docker.compose.project": stack.project, "com.docker.compose.service": "throwaway"}
    container = stack.client.containers.run(
        image,
        entrypoint=["sleep", "120"],
        labels=labels,
        network="none",
        detach=True,
        **compose_file.of_every_container(),
    )
    try:
        container.reload()
        yield container
    finally:
        container.remove(force=True, v=True)


def test_a_container_of_the_lab_holds_what_is_not_excepted(stack: Stack, made_by_the_command_line: Container) -> None:
    table = cis_benchmark.table()
    failed: dict[str, set[str]] = {item: set() for item in cis_benchmark.ITEMS}
    seen = set()
    for container in (*stack.containers().values(), made_by_the_command_line):
        service = container.labels["com.docker.compose.service"]
        if service in (SECOND_HOST, SWARM_MANAGER) or container.status != "running":
            continue
        seen.add(service)
        for item in cis_benchmark.failures(container):
            failed[item].add(service)
    assert {"holder", "kernel", "prometheus", "responder", "throwaway"} <= seen
    for item, services in failed.items():
        excepted = cis_benchmark.excepted(table[item].lab)
        if excepted is None:
            assert services, f"{item} is excepted, and every container holds it"
        else:
            assert services == excepted & seen, (item, table[item].lab)
