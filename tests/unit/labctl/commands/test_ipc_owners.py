"""`./lab status --containers` says whose IPC namespace each container is in: what exercise 1 asks."""

from __future__ import annotations

import pytest

from labctl.commands.tables import ipc_owners, show_containers
from support.containers import container

HOLDER = container("holder")
MEMBER = container("sysv-shm-producer", joins_ipc_of=HOLDER.id)
ALONE = container("fifo-producer")
LEFT_BEHIND = container("posix-shm-producer", joins_ipc_of="0123456789ab")  # of a holder that is gone


def test_each_container_has_the_owner_of_its_namespace(capsys: pytest.CaptureFixture[str]) -> None:
    owners = ipc_owners([HOLDER, MEMBER, ALONE, LEFT_BEHIND])
    assert owners == {
        HOLDER.id: "holder",
        MEMBER.id: "holder",
        ALONE.id: "own",
        LEFT_BEHIND.id: "0123456789ab",
    }
    show_containers([HOLDER, MEMBER, ALONE], {})
    heading, *rows = capsys.readouterr().out.splitlines()
    assert "IPC of" in heading
    assert [row.split()[:2] for row in rows if row[:1].isalpha()] == [
        ["holder", "holder"],
        ["sysv-shm-producer", "holder"],
        ["fifo-producer", "own"],
    ]


def test_of_a_pair_alone_nothing_is_said_of_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert ipc_owners([MEMBER, ALONE]) == {}
    show_containers([MEMBER, ALONE], {})
    assert "IPC of" not in capsys.readouterr().out
