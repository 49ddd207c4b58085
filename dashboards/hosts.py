"""One host, many hosts: who reaches whom by which mechanism, the kernel's reason why not, and what explains it."""

from __future__ import annotations

from grafana_foundation_sdk.builders import statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.document import new_dashboard
from dashboards.lines import in_steps
from dashboards.panels import SELDOM, Place, graph, state_timeline
from dashboards.promql import largest
from dashboards.tables import Column, coloured_names, one_row_each
from ipclab.matrix.placement import SHARED, Placement
from labctl.config import compose_file
from labctl.terminal import colours

_ROWS = Place(18, 13)
_TIMELINE = Place(8, 10)
_HERE = Placement.SAME_CONTAINER
# The placement at which a probe shares with the responder what a pair shares.
_BESIDE = "|".join((Placement.SHARED_IPC, Placement.SHARED_VOLUME, Placement.SHARED_NETWORK))
_NO_PROBE = "no probe"  # on the second host, unless ./lab hosts up has started it


def dashboard() -> Dashboard:
    """The matrix and the namespaces of the pairs fill the first screen; probes, graphs and history below."""
    mechanisms = compose_file.declared()
    made = (
        new_dashboard(
            "hosts",
            "Which mechanisms reach the responder from which placement, and what a placement must share for it.",
        )
        .with_panel(_matrix(mechanisms))
        .with_panel(_pairs(mechanisms))
        .with_panel(_probes())
        .with_panel(_reached(len(mechanisms)))
        .with_panel(_duration())
        .with_panel(_round_trips(mechanisms))
    )
    last = len(Placement) % 3  # three in a row; those that are left share the last one
    for number, placement in enumerate(Placement, start=1):
        alone = number > len(Placement) - last
        made.with_panel(_history(placement, Place(24 // last, _TIMELINE.height) if alone else _TIMELINE))
    return made


def _matrix(mechanisms: list[str]) -> table.Panel:
    return one_row_each(
        {"mechanism": "Mechanism"},
        "Which mechanism reaches the responder, from where?",
        "The responder listens on every mechanism. From each placement a probe tries all mechanisms, every few "
        "seconds. A green cell is the round-trip time: 64 bytes each way, both processes on one CPU, waking included, "
        "the median of the last 15 tries. A red cell is the errno that a system call returned. The probes differ only "
        "in what they share with the responder, so a green column shows what a mechanism needs. No probe: none runs "
        "at that placement; ./lab hosts up starts a second host.",
        _ROWS,
        [
            Column(
                _words(placement),
                _cell(placement),
                127,
                "µs",
                0,
                str(placement),
                green_from_zero=True,
                neither=_NO_PROBE,
            )
            for placement in Placement
        ],
    ).override_by_name("Mechanism", coloured_names(mechanisms))


def _cell(placement: Placement) -> str:
    """One series per mechanism, whose label, called like the placement, is whole microseconds, an errno, or neither."""
    where = f'placement="{placement}"'
    microseconds = f"round(1e6 * {largest('probe_round_trip_seconds', where=where)})"
    error = f'label_replace(probe_error_info{{{where}}}, "{placement}", "$1", "error", "(.*)")'
    neither = f'label_replace({largest("probe_success")}, "{placement}", "{_NO_PROBE}", "", "")'
    return " or on (mechanism) ".join(
        (
            f'count_values by (mechanism) ("{placement}", {microseconds})',
            f"max by (mechanism, {placement}) ({error})",
            neither,
        )
    )


def _pairs(mechanisms: list[str]) -> table.Panel:
    return one_row_each(
        {"mechanism": "Mechanism"},
        "Which pairs share a namespace?",
        "The inode of the IPC namespace that both sides of a pair are in; separate: each side is in its own. "
        "System V objects and POSIX queues are visible in one IPC namespace only, POSIX shared memory in one /dev/shm "
        "only; Docker's ipc: shares both at once. The four pairs that use them are in the namespace of one holder, so "
        "each pair could open the objects of the others. Every other pair shares a volume or a network of its own. "
        "The dashboard Mechanism has the inode of each side.",
        Place(6, _ROWS.height),
        [Column("IPC namespace", _inode_of_both(), 125, label="ipc")],
    ).override_by_name("Mechanism", coloured_names(mechanisms))


def _inode_of_both() -> str:
    """One series per mechanism, whose label `ipc` is the inode of the namespace of both sides, or says: separate."""
    info = 'ipc_namespace_info{mechanism!=""}'
    inodes = f"count by (mechanism) (count by (mechanism, ipc) ({info}))"
    shared = f"max by (mechanism, ipc) ({info}) and on (mechanism) ({inodes} == 1)"
    return f'{shared} or label_replace({inodes} > 1, "ipc", "separate", "", "")'


def _probes() -> table.Panel:
    shares = " or ".join(
        f'label_replace(count by (placement) (probe_success{{placement="{placement}"}}), '
        f'"shares", "{", ".join(sorted(SHARED[placement]))}", "", "")'
        for placement in Placement
    )
    inode = "probe_success * on (instance) group_left (ipc) ipc_namespace_info"
    return one_row_each(
        {"placement": "Probe"},
        "Where do the probes run?",
        "What each probe shares with the responder, and the inode of its IPC namespace. same_container is the "
        "responder itself. The same inode as the responder: the same System V objects. A different inode: none of "
        "them. The responder listens on one address, in its own network alone; every probe knows and tries that "
        "address.",
        Place(24, 8),
        [
            Column("Shares", shares, None, label="shares"),
            Column("Listens on", _listens(), 120, label="address"),
            Column("IPC namespace", f"max by (placement, ipc) ({inode})", 125, label="ipc"),
        ],
        {"Probe": 125},
    )


def _listens() -> str:
    """The responder's series, as one of the placement at which it probes itself."""
    return f'max by (placement, address) (label_replace(ipc_listen_info, "placement", "{_HERE}", "", ""))'


def _round_trips(mechanisms: list[str]) -> table.Panel:
    def of(metric: str, placements: str, bound: str = "") -> str:
        return f'1e6 * max by (mechanism) ({metric}{{placement=~"{placements}"{bound}}})'

    columns = []
    for words, placements in (("one container", str(_HERE)), ("two containers", _BESIDE)):
        for name, metric, bound in (
            ("", "probe_round_trip_seconds", ""),
            (", lowest", "probe_round_trip_bound_seconds", ', bound="lowest"'),
            (", highest", "probe_round_trip_bound_seconds", ', bound="highest"'),
        ):
            columns.append(Column(f"In {words}{name}", of(metric, placements, bound), None, "µs", 1))
    tries = f'min by (mechanism) (probe_round_trip_tries{{placement=~"{_HERE}|{_BESIDE}"}})'
    return one_row_each(
        {"mechanism": "Mechanism"},
        "How long is a round trip?",
        "From request to reply, 64 bytes each way. A try sends up to 40 requests, one after the other. Both "
        "processes are on one CPU and sleep in between, so waking is included. The figure is the median of the last "
        "tries' medians, 15 at most; lowest and highest are the range of these medians. Two mechanisms whose ranges "
        "overlap have no order.",
        Place(24, 11),
        [*columns, Column("Tries", tries, 70)],
        {"Mechanism": 150},
    ).override_by_name("Mechanism", coloured_names(mechanisms))


def _reached(mechanisms: int) -> timeseries.Panel:
    return (
        in_steps(
            graph(
                "How many mechanisms are reached?",
                "The number of mechanisms that reached the responder, by placement. The line falls when the responder "
                "stops, or when a network is cut.",
                "none",
                Place(12, 7),
                {"{{placement}}": "sum by (placement) (probe_success)"},
            )
        )
        .max(mechanisms)
        .max_data_points(SELDOM)
    )


def _duration() -> timeseries.Panel:
    return graph(
        "How long is the longest try?",
        "The slowest mechanism of each placement, opening and closing included. A refused try ends at once. A try "
        "without an answer (a datagram or a connection request that is dropped, a name that does not resolve) ends at "
        "the timeout.",
        "s",
        Place(12, 7),
        {"{{placement}}": "max by (placement) (probe_duration_seconds)"},
    ).max_data_points(SELDOM)


def _history(placement: Placement, place: Place) -> statetimeline.Panel:
    where = f'placement="{placement}"'
    return state_timeline(
        f"Reached from {_words(placement)}?",
        "When each mechanism reached the responder from this placement. Blue-green: reached. Vermilion: refused. "
        "Grey: no probe ran.",
        place,
        f"{largest('probe_success', where=where)} or on (mechanism) 0 * {largest('probe_success')} - 1",
        {-1: (_NO_PROBE, colours.NOTHING), 0: ("refused", colours.REFUSED), 1: ("reached", colours.REACHED)},
    )


def _words(placement: Placement) -> str:
    return str(placement).replace("_", " ")
