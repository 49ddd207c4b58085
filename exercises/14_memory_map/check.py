"""Solved: the word is in the file of the volume, both pairs carried large messages, and both sides of the map ended."""

from statistics import median

from labctl.terminal.printing import duration
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.settled import settled, values_at
from labctl.workshop.exercise.verdict import Verdict, cannot_tell, not_yet
from labctl.workshop.exercise.verdict import solved as is_solved

_MAP, _PIPE = "mmap_file", "fifo"
_NOTE = "/channel/note"
_ENOUGH_S = 5


def check(attempt: Attempt) -> Verdict:
    size, word = attempt.number("size"), attempt.text("word")
    content = attempt.sees.text("mmap-file-producer", _NOTE)
    found = content.rstrip("\0") if content is not None else None
    if found is None:
        return not_yet(saw=attempt.say("no_file"), waits_for=attempt.say("word_wait", word=word))
    if not found.startswith(word):
        shown = found[:20] if found.isprintable() and found.strip() else attempt.say("nothing")
        saw = attempt.say("wrong", bytes=len(content or ""), found=shown)
        return not_yet(saw=saw, waits_for=attempt.say("word_wait", word=word))
    measured: dict[str, str | float] = {"private": "nothing"}
    costs = {}
    for pair in (_MAP, _PIPE):
        seen = _costs(attempt, pair, size)
        if seen is None:
            return cannot_tell(attempt.say("no_exporter", pair=pair))
        if len(seen) < _ENOUGH_S:
            saw = attempt.say("no_size", pair=pair, size=size, seconds=len(seen))
            wait = attempt.say("no_size_wait", size=size, seconds=_ENOUGH_S)
            return not_yet(saw=saw, waits_for=wait, measured=measured)
        costs[pair] = median(seen)
    measured["cheaper"] = min(costs, key=lambda pair: costs[pair])
    running = [c.service for c in attempt.sees.containers() if c.mechanism == _MAP and c.state in ("running", "paused")]
    if running:
        saw = attempt.say("alive", word=word, running=", ".join(running))
        return not_yet(saw=saw, waits_for=attempt.say("alive_wait"), measured=measured)
    mapped, piped = (duration(costs[pair]) for pair in (_MAP, _PIPE))
    text = attempt.say("solved", word=word, size=size, mapped=mapped, piped=piped)
    return is_solved(text, measured={**measured, "left": "the word"})


def _costs(attempt: Attempt, pair: str, size: int) -> list[float] | None:
    """CPU seconds of a message, once a second, while its size was so; None if the pair was never seen."""
    sizes = attempt.sees.history(f"max(ipc_message_size_bytes{{mechanism='{pair}'}})")
    if not sizes:
        return None
    costs = attempt.sees.history(f"max(mechanism:ipc_cpu_seconds_per_message:ratio_rate5s{{mechanism='{pair}'}})")
    return values_at(costs, settled(sizes, lambda value: value == size))
