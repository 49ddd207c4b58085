"""A node: podman with storage, network namespace and mount namespace of its own.

Two nodes on one machine are two network namespaces, joined by one veth pair. A pod's network is a bridge in its node's
namespace, so no rule of the machine's own firewall is on the way. The mount namespace has a /run/containers of its own:
podman keeps the addresses and the names of all networks there, by the network's name, and no setting moves them. So the
pods of two labs run side by side. podman(1), containers.conf(5), storage.conf(5), ip-netns(8), veth(4), unshare(1).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from labctl.terminal.errors import LabError
from labctl.terminal.printing import one_line

NETWORK = "pods"
TOOLS = ("podman", "conmon", "netavark", "aardvark-dns", "catatonit")  # packages of Debian 12 and newer
_RUN_WITHIN_S = 240
_HINT = "./lab kube down, and again"
_FOLLOWS = ("level=warning", "a dependency of container")  # what podman prints beside the cause
_NAMESPACES = ("--net=", "--mount=")
_NETNS = Path("/run/netns")
_OF_EVERY_PODMAN = "/run/containers"  # addresses in networks/ipam.db, names in networks/aardvark-dns
# crun refuses the cgroup hierarchies of some machines; the limits are below those that a process may not raise. Locks
# in files: those in shared memory belong to every podman of the machine.
_CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
static_dir = "{folder}/static"
tmp_dir = "{folder}/tmp"
volume_path = "{folder}/volumes"
[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
"""
_STORAGE_CONF = """\
[storage]
driver = "overlay"
graphroot = "{folder}/root"
runroot = "{folder}/run"
[storage.options]
additionalimagestores = [{images}]
"""


@dataclass(frozen=True)
class Node:
    """Node `number` of a project, from 1; the images of the others are those of the first."""

    folder: Path
    project: str
    number: int

    @property
    def name(self) -> str:
        """Of its network namespace."""
        return f"ipclab-{self.project}-{self.number}"

    @property
    def own(self) -> Path:
        """Its directories."""
        return self.folder / str(self.number)

    @property
    def namespace(self) -> Path:
        """The file of its network namespace."""
        return _NETNS / self.name

    @property
    def mounts(self) -> Path:
        """The file of its mount namespace."""
        return self.own / "mounts"

    @property
    def subnet(self) -> str:
        """Of its pods."""
        return f"10.231.{self.number}.0/24"

    def address(self, position: int) -> str:
        """Of the pod that is given an address; podman itself gives them from the lowest on."""
        return f"10.231.{self.number}.{200 + position}"

    def make(self) -> None:
        """Its directories and its namespaces.

        :raises LabError: this user may not, or a tool is absent
        """
        self.own.mkdir(mode=0o700)
        images = "" if self.number == 1 else f'"{Node(self.folder, self.project, 1).own / "root"}"'
        for file, form in (("containers.conf", _CONTAINERS_CONF), ("storage.conf", _STORAGE_CONF)):
            (self.own / file).write_text(form.format(folder=self.own, images=images), encoding="utf-8")
        run(["ip", "netns", "add", self.name])
        # A mount namespace can be kept only below a private mount. A slave: what the machine unmounts goes here too.
        run(["mount", "--bind", "--make-private", str(self.own), str(self.own)])
        self.mounts.touch()
        run(["unshare", f"--mount={self.mounts}", "--propagation=slave", "mkdir", "--parents", _OF_EVERY_PODMAN])
        self.inside(["mount", "--types=tmpfs", "--options=mode=0700", "tmpfs", _OF_EVERY_PODMAN])
        self.inside(["ip", "link", "set", "lo", "up"])
        self.inside(["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"])

    def make_network(self) -> None:
        """The bridge of its pods, with names."""
        self.podman("network", "create", "--subnet", self.subnet, NETWORK)

    def join(self, other: Node) -> None:
        """One link between both, and on each side the way to the other's pods."""
        ends = [f"lab{node.number}" for node in (self, other)]
        links = [("ip", "link", "add", ends[0], "netns", self.name, "type", "veth")]
        run([*links[0], "peer", "name", ends[1], "netns", other.name])
        for node, end, there in ((self, ends[0], other), (other, ends[1], self)):
            node.inside(["ip", "address", "add", f"10.231.0.{node.number}/24", "dev", end])
            node.inside(["ip", "link", "set", end, "up"])
            node.inside(["ip", "route", "add", there.subnet, "via", f"10.231.0.{there.number}"])

    def inside(self, command: Sequence[str], standard_input: str | IO[bytes] | None = None) -> str:
        """Run a program in the namespaces; what it printed.

        :raises LabError: it fails
        """
        entering = ["nsenter", f"--net={self.namespace}", f"--mount={self.mounts}"]
        return run([*entering, *command], standard_input, self._environment())

    def podman(self, *arguments: str, standard_input: str | IO[bytes] | None = None) -> str:
        """Run podman on this node; what it printed.

        :raises LabError: it fails
        """
        return self.inside(["podman", *arguments], standard_input)

    def _environment(self) -> dict[str, str]:
        files = {"CONTAINERS_CONF": "containers.conf", "CONTAINERS_STORAGE_CONF": "storage.conf"}
        return {name: str(self.own / file) for name, file in files.items()}


def run(
    command: Sequence[str], standard_input: str | IO[bytes] | None = None, environment: dict[str, str] | None = None
) -> str:
    """Run a program; what it printed.

    :param standard_input: text, or a file
    :raises LabError: it is absent, fails, or takes minutes
    """
    text = standard_input if isinstance(standard_input, str) else None
    file = subprocess.DEVNULL if standard_input is None else standard_input
    try:
        ran = subprocess.run(
            list(command),
            cwd="/",  # podman builds an image from a folder of the same name in the current one
            env={**os.environ, **(environment or {})},
            stdin=None if text is not None else file,  # type: ignore[arg-type]  # a text is not given twice
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_RUN_WITHIN_S,
            check=False,
        )
    except OSError as error:
        raise LabError(f"{command[0]} cannot be started: {error.strerror}", hint="docs/KUBERNETES.md") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{command[0]} does not end within {_RUN_WITHIN_S} s", hint=_HINT) from error
    if ran.returncode:
        said = [
            line for line in (ran.stderr or ran.stdout).splitlines() if not any(words in line for words in _FOLLOWS)
        ]
        shown = " ".join(word for word in command if not word.startswith(_NAMESPACES))
        reason = one_line("\n".join(said).encode()) or "it printed nothing"  # its end: the last lines say why
        raise LabError(f"{shown[:80]} failed: {reason}", hint=_HINT)
    return ran.stdout
