"""What two containers must share is what `Traits.requires` says: asked with namespaces, without containers."""

from __future__ import annotations

import pytest

from conformance.conftest import StartPeer
from conformance.harness.peers import Peer, PeerError
from ipclab.contract.channel import Sharing, Traits


def test_another_ipc_namespace_matters_to_those_that_require_a_common_one(
    receiver: Peer, start: StartPeer, traits: Traits
) -> None:
    sender = start()
    if not sender.do("leave_ipc_namespace"):
        pytest.skip("needs the right to make namespaces (root, CAP_SYS_ADMIN)")
    if Sharing.IPC_NAMESPACE in traits.requires:
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
