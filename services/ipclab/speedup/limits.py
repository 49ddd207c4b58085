"""What may be asked for, once for the containers and for `./lab speedup`."""

from __future__ import annotations

import click

WORKERS = click.IntRange(1, 16)
JOB = click.IntRange(10_000, 2_000_000)  # 2 million take one process some ten seconds
CHUNKS = click.IntRange(1, 10_000)
ROUNDS = click.IntRange(1, 100)
