"""`./lab hosts`: a second Docker Engine, joined to the lab by a network alone, and a probe in it.

The second host is local (a container on this machine) or remote (another machine). The lab's engine runs the container
of a local one; for a remote one it runs a published responder, with the address of that machine as a label.
"""

from __future__ import annotations

from labctl.commands import hosts_local, hosts_remote
from labctl.config import compose_file
from labctl.hosts import published_responder
from labctl.hosts.remote_address import DockerHost
from labctl.lab.lab import Lab


def bring_up(lab: Lab, second_host: DockerHost | None, address: str | None) -> None:
    """Start the second host: `second_host` on another machine, which reaches this one at `address`; None: a local one.

    :raises BadInput: it will not do; nothing was changed
    :raises LabError: a step fails
    """
    if second_host and address:
        hosts_remote.bring_up(lab, second_host, address)
    else:
        hosts_local.bring_up(lab)


def take_down(lab: Lab) -> None:
    """Remove the second host, local or remote. The lab goes on.

    :raises LabError: an engine does not answer
    """
    found = lab.containers()
    if responder := published_responder.find(found):
        hosts_remote.take_down(lab, responder)
        return
    hosts_local.take_down(lab, [c for c in found if c.service == compose_file.SECOND_HOST])
