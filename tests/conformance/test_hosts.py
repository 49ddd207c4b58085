"""A host name that no host can have is an error of the contract, not one of the resolver."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipclab.contract.channel import Address, Mechanism, Sharing
from ipclab.contract.errors import PeerAbsent, Unusable


@pytest.mark.mechanisms(picks=lambda traits: traits.requires == {Sharing.NETWORK})
@pytest.mark.parametrize("host", ["a..b", "x" * 64, "a\0b"])
def test_an_impossible_host_is_unusable(mechanism: Mechanism, address: Address, host: str) -> None:
    for make in (mechanism.create_receiver, mechanism.open_sender):
        with pytest.raises(Unusable) as refused:
            make(replace(address, host=host))
        assert refused.value.errno_name == "EINVAL"


@pytest.mark.mechanisms(picks=lambda traits: traits.requires == {Sharing.NETWORK})
def test_an_unknown_host_is_absent(mechanism: Mechanism, address: Address) -> None:
    with pytest.raises(PeerAbsent) as absent:
        mechanism.open_sender(replace(address, host="nobody.invalid"))
    assert absent.value.errno_name.startswith("EAI_")
    assert absent.value.errno_name in mechanism.traits.send_errnos
