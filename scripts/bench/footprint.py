"""What the lab takes of a machine: seconds to come up, memory, disk, CPU at the default load.

It runs a lab of its own (project `ipclab-bench`, free ports) and takes it down again.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import docker
from docker.errors import ImageNotFound
from docker.models.images import Image

from labctl.config.configuration import PUBLISHED_PORTS
from labctl.lab.ports import free_port
from labctl.terminal.errors import LabError
from labctl.terminal.subprocesses import failure

ROOT = Path(__file__).parents[2]
PROJECT = "ipclab-bench"
_BLOCK_BYTES = 512
_ENGINE_S = 120  # to add up what it holds
WARM_ROUNDS = 3
CPU_SAMPLES = 10
_HINT = "./lab doctor looks for the cause; the benchmark runs a lab of its own, ipclab-bench"
TAG = os.environ.get("LAB_IMAGE_TAG", "local")
IMAGES = (f"ipclab/lab:{TAG}", f"ipclab/prometheus:{TAG}", "ipclab/base:trixie", "ipclab/prometheus-debian:trixie")


class _Lab:
    def __init__(self) -> None:
        ports = {name: str(free_port()) for name in PUBLISHED_PORTS}
        self._environment = {**os.environ, "COMPOSE_PROJECT_NAME": PROJECT, **ports}

    def run(self, *arguments: str) -> tuple[float, str]:
        """Seconds and output of one `./lab` command.

        :raises LabError: it failed; its last lines are printed
        """
        begin = time.monotonic()
        command = [str(ROOT / "lab"), *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, encoding="utf-8", check=False)
        if done.returncode:
            raise failure(["./lab", *arguments], done.returncode, done.stderr.splitlines(), hint=_HINT)
        return time.monotonic() - begin, done.stdout


def disk_bytes(client: docker.DockerClient) -> dict[str, int]:
    """What the lab keeps on the disk, by what it is; while it runs, so that its volumes are there.

    Layers that several images share count once. The engine does not say whose a piece of its build cache is.
    """
    layers: dict[str, int] = {}
    for name in IMAGES:
        with suppress(ImageNotFound):
            layers |= layer_bytes(client.images.get(name))
    used = client.df()
    volumes = [v for v in used["Volumes"] or () if str(v["Name"]).startswith(f"{PROJECT}_")]
    return {
        "images": sum(layers.values()),
        "build cache, of the whole engine": sum(piece["Size"] for piece in used.get("BuildCache") or ()),
        "volumes": sum(max(0, volume["UsageData"]["Size"]) for volume in volumes),
        "Python environment (.venv)": _blocks(ROOT / ".venv"),
    }


def layer_bytes(image: Image) -> dict[str, int]:
    """The layers of one image, by their digest. What has no size in its history is no layer, or an empty one."""
    digests = image.attrs["RootFS"]["Layers"]
    sizes = [step["Size"] for step in reversed(image.history()) if step["Size"]]
    if len(sizes) > len(digests):  # an imported image whose history tells of more than there is: all in one
        return {digests[-1]: image.attrs["Size"]}
    return dict(zip(digests, sizes, strict=False)) if len(sizes) == len(digests) else _with_empty(digests, image, sizes)


def _with_empty(digests: list[str], image: Image, sizes: list[int]) -> dict[str, int]:
    """Some layers are empty, and which is not said: the base is the first and has its size, the rest is one."""
    return {digests[0]: sizes[0], digests[-1]: image.attrs["Size"] - sizes[0]}


def _blocks(folder: Path) -> int:
    """What is allocated to a folder's files (stat(2), st_blocks)."""
    return sum(path.lstat().st_blocks * _BLOCK_BYTES for path in folder.rglob("*"))


def report(*, cold: bool) -> list[str]:
    """The lines to print. `cold` first removes the lab's images and the engine's build cache."""
    lab = _Lab()
    lines = [f"footprint on {os.cpu_count()} CPUs, {platform.machine()}, Linux {platform.release()}, without Grafana:"]
    lab.run("down")
    try:
        if cold:
            for image in IMAGES:
                subprocess.run(["docker", "image", "rm", "--force", image], capture_output=True, check=False)
            subprocess.run(["docker", "builder", "prune", "--all", "--force"], capture_output=True, check=False)
            lines.append(f"  cold up (engine there, no images)  {lab.run('up')[0]:6.1f} s")
        else:
            lab.run("up")
        warm = []
        for _ in range(WARM_ROUNDS):
            lab.run("down")
            warm.append(lab.run("up")[0])
        lines.append(f"  warm up (images there)             {statistics.median(warm):6.1f} s (median of {WARM_ROUNDS})")
        lines.append(f"  up again (everything runs)         {lab.run('up')[0]:6.1f} s")
        samples = [json.loads(lab.run("status", "--json")[1])["containers"] for _ in range(CPU_SAMPLES)]
        memory = statistics.median(sum(c["memory_bytes"] for c in sample) for sample in samples)
        cpu = statistics.median(sum(c["cpu_share"] for c in sample) for sample in samples)
        lines.append(f"  resident memory, {len(samples[0]):2} containers     {memory / 2**20:6.0f} MiB")
        lines.append(f"  CPU, all containers, default load  {cpu * 100:6.0f} % of one core (median of {CPU_SAMPLES})")
        disk = disk_bytes(docker.from_env(timeout=_ENGINE_S))
        lines.append(f"  disk, all of it                    {sum(disk.values()) / 1e9:6.1f} GB")
        lines += [f"    {what:32} {size / 1e9:6.2f} GB" for what, size in disk.items()]
    finally:
        with suppress(LabError):  # its lines are printed; what went wrong before is the error
            lab.run("down")
    return lines
