"""The job: counting the primes below a limit by trial division, and the limits of its options.

The job is pure Python and CPU-bound, and its result can be checked. The count of a range does not depend on any other
range, so the job has no serial rest: communication and the number of CPUs keep the speedup below the number of workers.
The containers and `./lab speedup` share the limits of the options.
"""

from __future__ import annotations

from itertools import pairwise

import click


def count_primes(low: int, high: int) -> int:
    """The number of primes from `low` to `high - 1`."""
    count = 0
    for candidate in range(max(low, 2), high):
        if candidate % 2 == 0:
            count += candidate == 2
            continue
        divisor = 3
        while divisor * divisor <= candidate:
            if candidate % divisor == 0:
                break
            divisor += 2
        else:
            count += 1
    return count


def split(limit: int, chunks: int) -> list[tuple[int, int]]:
    """The ranges `(low, high)` that make up 0 to `limit`, sizes differing by one at most, the costliest first.

    Larger numbers take longer to divide. A costly chunk at the end keeps one worker busy while the others are idle.
    """
    borders = [limit * index // chunks for index in range(chunks + 1)]
    return list(pairwise(borders))[::-1]


WORKERS = click.IntRange(1, 16)
JOB = click.IntRange(10_000, 2_000_000)  # 2 million take one process some ten seconds
CHUNKS = click.IntRange(1, 10_000)
ROUNDS = click.IntRange(1, 100)
