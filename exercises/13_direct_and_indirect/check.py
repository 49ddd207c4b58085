"""Solved: peers share a mailbox, and a direct channel stopped because its peer has another name, with both sides up."""

from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.verdict import Verdict, cannot_tell, not_yet, solved

_WINDOW = "5s"


def check(attempt: Attempt) -> Verdict:
    for pair in ("sysv_mq", "tcp"):
        if not attempt.sees.query(f"ipc_load_rate{{mechanism='{pair}'}}"):
            return cannot_tell(attempt.say("no_exporter", pair=pair))
    if not attempt.one(
        f"sum(rate(ipc_messages_received_total{{mechanism='tcp'}}[{_WINDOW}] @ {attempt.started_at:.3f}))"
    ):
        return cannot_tell(attempt.say("no_baseline"))
    consumers, producers = _moving(attempt, "received"), _moving(attempt, "sent")
    measured: dict[str, str | float] = {}
    if consumers < attempt.number("consumers") or producers < attempt.number("producers"):
        wanted = {"consumers": attempt.number("consumers"), "producers": attempt.number("producers")}
        saw = attempt.say("few", consumers=consumers, producers=producers)
        return not_yet(saw=saw, waits_for=attempt.say("few_wait", **wanted))
    measured["mailbox"] = "all" if consumers == _running(attempt, "sysv_mq", "consumer") else "one"
    done = attempt.say("mailbox_done", consumers=consumers, producers=producers)
    return _of_tcp(attempt, done, measured)


def _of_tcp(attempt: Attempt, done: str, measured: dict[str, str | float]) -> Verdict:
    for container in attempt.sees.containers():
        if container.mechanism != "tcp":
            continue
        if container.placement:
            saw = attempt.say("moved", placement=container.placement)
            return not_yet(saw=saw, waits_for=attempt.say("moved_wait"), measured=measured)
        if not container.running:
            saw = attempt.say("not_running", role=container.role, state=container.state)
            return not_yet(saw=saw, waits_for=attempt.say("not_running_wait"), measured=measured)
    rate = attempt.one(f"sum(rate(ipc_messages_received_total{{mechanism='tcp'}}[{_WINDOW}]))") or 0.0
    errors = {s.labels["errno"]: s.value for s in attempt.sees.query(_ERRORS.format(attempt.started_at))}
    if rate or _running(attempt, "tcp", "consumer") == 0 or not errors:
        saw = attempt.say("still", done=done, rate=f"{rate:.0f}")
        return not_yet(saw=saw, waits_for=attempt.say("still_wait", port=attempt.number("port")), measured=measured)
    errno = max(errors, key=lambda name: errors[name])
    text = attempt.say("solved", done=done, failed=f"{errors[errno]:.0f}", errno=errno, received=f"{rate:.0f}")
    return solved(text, measured={**measured, "renamed": "stops"})


# What the producer's tries grew by since the start, by errno, where they grew at all.
_ERRORS = (
    "(sum by (errno) (ipc_send_errors_total{{mechanism='tcp'}})"
    " - (sum by (errno) (ipc_send_errors_total{{mechanism='tcp'}} @ {0:.3f})"
    " or 0 * sum by (errno) (ipc_send_errors_total{{mechanism='tcp'}}))) > 0"
)


def _moving(attempt: Attempt, what: str) -> int:
    """How many containers of the mailbox sent, or received, in the last seconds."""
    rate = f"rate(ipc_messages_{what}_total{{mechanism='sysv_mq'}}[{_WINDOW}])"
    return int(attempt.one(f"count(sum by (instance) ({rate}) > 0)") or 0)


def _running(attempt: Attempt, mechanism: str, role: str) -> int:
    found = attempt.sees.containers()
    return sum(c.running for c in found if (c.mechanism, c.role) == (mechanism, role))
