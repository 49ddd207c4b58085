"""What two containers must share is what `Traits.requires` says: asked with namespaces, without containers."""

from __future__ import annotations

import pytest

from conformance.conftest import StartPeer
from conformance.harness.peers import Peer, PeerError
from ipclab.contract.channel import Sharing, Traits


@pytest.mark.parametrize(
    ("leave", "needed"), [("leave_ipc_namespace", Sharing.IPC_NAMESPACE), ("leave_dev_shm", Sharing.DEV_SHM)]
)
def test_what_is_not_shared_matters_to_those_that_require_it_and_to_no_other(
    receiver: Peer, start: StartPeer, traits: Traits, leave: str, needed: Sharing
) -> None:
    """Docker's `ipc:` shares both; a System V object and a POSIX queue need the one, POSIX shared memory the other."""
    sender = start()
    if not sender.do(leave):
        pytest.skip("needs the right to make namespaces (root, CAP_SYS_ADMIN)")
    if needed in traits.requires:
        with pytest.raises(PeerError) as absent:
            sender.do("open", role="sender")
        assert (absent.value.kind, absent.value.errno_name) == ("PeerAbsent", "ENOENT")
        return
    sender.do("open", role="sender")
    receiver.begin_and_block("seconds", of="receive", arguments={"timeout_s": 8})
    sender.do("send", sequence=1, size=100)
    assert receiver.end() < 4
    sender.do("send", sequence=2, size=100)
    assert receiver.do("receive") == [2, 100]
