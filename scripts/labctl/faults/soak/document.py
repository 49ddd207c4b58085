"""The report of a soak: one document, as JSON and as text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labctl.faults.soak.audit import Book, Loss, merged
from labctl.faults.soak.leaks import LEAST_SAMPLES, LIMITS, Slope
from labctl.faults.soak.run import SAMPLE_EVERY_S, Done

SCHEMA = 1


@dataclass(frozen=True)
class Report:
    """What a soak did and found."""

    project: str
    seed: int
    asked_minutes: float
    began_at: float  # seconds since 1970
    ran_s: float
    conditions: Sequence[tuple[str, str]]
    books: Mapping[str, Book]
    done: Sequence[Done]
    slopes: Sequence[Slope]
    findings: Sequence[str]

    @property
    def losses(self) -> list[Loss]:
        """Every loss, by pair, reason and faults."""
        return merged([loss for book in self.books.values() for loss in book.losses])

    @property
    def carried_out(self) -> list[Done]:
        """The faults that were not refused."""
        return [done for done in self.done if not done.refused]

    def total(self, field: str) -> int:
        """A figure of the books, over all pairs."""
        return sum(getattr(book, field) for book in self.books.values())

    @property
    def repeat(self) -> str:
        """The command that carries out the same plan."""
        return f"./lab soak --minutes {self.asked_minutes:g} --seed {self.seed}"

    def as_json(self) -> dict[str, Any]:
        """The whole document."""
        return {
            "schema": SCHEMA,
            "project": self.project,
            "seed": self.seed,
            "repeat": self.repeat,
            "began_at": self.began_at,
            "ran_seconds": round(self.ran_s, 1),
            "conditions": dict(self.conditions),
            "messages": {name: self.total(name) for name in ("sent", "received", "lost", "duplicate", "corrupt")},
            "pairs": [book.as_json() for book in self.books.values()],
            "losses": [loss.as_json() for loss in self.losses],
            "faults": [done.as_json() for done in self.done],
            "slopes": [slope.as_json() for slope in self.slopes],
            "findings": list(self.findings),
        }

    def files(self) -> dict[str, bytes]:
        """soak.json and soak.txt."""
        document = json.dumps(self.as_json(), indent=1, ensure_ascii=False)
        return {"soak.json": f"{document}\n".encode(), "soak.txt": "".join(f"{x}\n" for x in self.lines()).encode()}

    def lines(self) -> list[str]:
        """The report in words."""
        counts = Counter(done.fault for done in self.carried_out)
        refused = len(self.done) - len(self.carried_out)
        longest = max(
            ((after, done, name) for done in self.done for name, after in done.back_after_s.items()),
            key=lambda item: item[0],
            default=None,
        )
        lines = [
            f"Soak of {len(self.books)} pairs for {self.ran_s / 60:.1f} minutes, seed {self.seed}: "
            f"{len(self.carried_out)} faults, {self.total('received'):,} messages received",
            *(f"  {name}: {value}" for name, value in self.conditions),
            "",
            f"Faults: {', '.join(f'{name} {count}' for name, count in sorted(counts.items())) or 'none'}",
        ]
        if refused:
            lines.append(f"Could not begin: {refused}, mostly because the other fault had stopped the pair")
        if longest:
            after, done, name = longest
            lines.append(f"Longest way back: {name} {after:.1f} s after {done.fault} (fault {done.number})")
        lines += ["", _ROW.format(*_HEAD)]
        lines += [
            _ROW.format(
                book.mechanism,
                *(f"{n:,}" for n in (book.sent, book.received, book.lost, book.duplicate, book.corrupt)),
                f"{book.last.in_flight:,}",
            )
            for book in self.books.values()
        ]
        lines += ["", "Losses, and the faults that explain them:"]
        lines += [
            f"  {loss.mechanism}: {loss.count:,} {loss.reason}: {', '.join(loss.faults) or 'NO FAULT'}"
            for loss in self.losses
        ] or ["  none"]
        lines += ["", *self._leak_lines(), ""]
        lines += [f"WRONG: {finding}" for finding in self.findings] or ["Nothing is wrong."]
        return [*lines, f"Repeat: {self.repeat}"]

    def _leak_lines(self) -> list[str]:
        limits = ", ".join(limit.in_words(limit.growth) for limit in LIMITS.values())
        if not self.slopes:
            return [
                f"Leaks: not judged, for want of {LEAST_SAMPLES} samples, one each {SAMPLE_EVERY_S:.0f} s; containers, "
                "volumes, networks and kernel objects were compared"
            ]
        lines = [f"Leaks: {sum(s.is_leak for s in self.slopes)} of {len(self.slopes)} series; limits: {limits}"]
        for kind, limit in LIMITS.items():
            of_kind = [slope for slope in self.slopes if slope.kind == kind]
            if of_kind:
                most = max(of_kind, key=lambda slope: slope.trend.growth)
                lines.append(f"  most {limit.what}: {most.of}, {limit.in_words(most.trend.growth)} over the soak")
        return lines


_HEAD = ("mechanism", "sent", "received", "lost", "duplicate", "corrupt", "unaccounted")
_ROW = "{:<16}{:>12}{:>12}{:>10}{:>11}{:>9}{:>13}"
