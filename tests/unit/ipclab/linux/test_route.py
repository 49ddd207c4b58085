"""The way to a host, asked of the real kernel."""

from __future__ import annotations

from ipclab.linux import route


def test_the_loopback_leads_to_itself() -> None:
    assert route.route_to("127.0.0.1") == "127.0.0.1 by lo, from 127.0.0.1"
    assert route.route_to("localhost").startswith("127.0.0.1 by lo")


def test_a_name_that_nobody_has_leads_nowhere() -> None:
    for nobody in ("nobody.invalid", "two..dots"):
        assert route.route_to(nobody).startswith("none, the name has no address here: ")


def test_what_the_kernel_refuses_has_its_errno() -> None:
    """A broadcast: only a socket that asked for it may."""
    assert route.route_to("255.255.255.255").startswith("none to 255.255.255.255: [Errno 13]")
