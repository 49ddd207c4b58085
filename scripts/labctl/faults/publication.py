"""The last fault matrix in Prometheus: the exporter of the running lab gets it as a file, and keeps it.

The file is beside that of the last bench, on a volume of the lab. `./lab down` removes it with the lab.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ipclab.bench.last_bench import FAULTS_FILE
from labctl.faults.matrix import Cell
from labctl.lab import state_files
from labctl.lab.lab import Lab

_SERVICE, _DIRECTORY = "kernel", "/bench"


def publish(lab: Lab, cells: Sequence[Cell]) -> None:
    """Hand the cells to the exporter, where one runs: a lab without a pair in the holder's namespace has none.

    :raises LabError: the exporter does not take them
    """
    content = json.dumps({"cells": [cell.as_json() for cell in cells]}).encode()
    for container in lab.containers():
        if container.service == _SERVICE and container.running:
            state_files.write(container.docker, _DIRECTORY, FAULTS_FILE, content)
