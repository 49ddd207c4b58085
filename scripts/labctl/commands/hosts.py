"""`./lab hosts`: a second Docker Engine, joined to the lab by a network alone, and a probe in it.

It is a container on this machine, or another machine. Which of the two is seen by what runs on the lab's engine: the
container itself, or the responder that was published for the other machine and bears its address as a label.
"""

from __future__ import annotations

from labctl.commands import hosts_elsewhere, hosts_here
from labctl.config import compose_file
from labctl.hosts import published_responder
from labctl.hosts.docker_host import DockerHost
from labctl.lab.lab import Lab


def bring_up(lab: Lab, other: DockerHost | None, address: str | None) -> None:
    """Start the second host: `other`, which may reach this machine at `address`, or without it one on this machine.

    :raises BadInput: it will not do; nothing was changed
    :raises LabError: a step fails
    """
    if other and address:
        hosts_elsewhere.bring_up(lab, other, address)
    else:
        hosts_here.bring_up(lab)


def take_down(lab: Lab) -> None:
    """Take back whichever there is. The lab goes on.

    :raises LabError: an engine does not answer
    """
    found = lab.containers()
    if responder := published_responder.find(found):
        hosts_elsewhere.take_down(lab, responder)
        return
    hosts_here.take_down(lab, [c for c in found if c.service == compose_file.SECOND_HOST])
