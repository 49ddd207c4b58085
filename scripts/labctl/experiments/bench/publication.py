"""The figures of a bench in Prometheus: the exporter of the running lab gets them as a file, and keeps them.

The file is on a volume of the lab, so it outlives every restart; `./lab down` removes it with the lab.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from labctl.lab import state_files
from labctl.lab.lab import Lab

_SERVICE, _DIRECTORY, _FILE = "kernel", "/bench", "bench.json"


def publish(lab: Lab, whole: Mapping[str, Any]) -> str:
    """Hand the figures to the exporter; what came of it, in one line.

    :raises LabError: the exporter does not take them
    """
    exporters = [c for c in lab.containers() if c.service == _SERVICE and c.running]
    if not exporters:
        return f"Not published to Prometheus: {lab.project} is not running (hint: ./lab up, then ./lab bench)"
    content = {**whole, "cells": [{**cell, "runs": len(cell["runs"])} for cell in whole["cells"]]}
    for exporter in exporters:
        state_files.write(exporter.docker, _DIRECTORY, _FILE, json.dumps(content).encode())
    return "Published to Prometheus as ipc_bench_*: the dashboard Speed and its price begins with it"
