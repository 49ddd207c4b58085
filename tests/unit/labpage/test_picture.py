"""The picture from samples: what is so, and where it is drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labpage.picture.expressions import EXPRESSIONS
from labpage.picture.layout import WIDTH, Layout, Rectangle, layout
from labpage.picture.read import joined, parted
from labpage.picture.snapshot import snapshot
from labpage.picture.state import Box, Failure, Held, Pair, State, pairs
from labpage.prometheus import Sample

Found = dict[str, list[tuple[dict[str, str], float]]]


def parts_of(found: Found) -> dict[str, list[Sample]]:
    return {name: [Sample(labels, value) for labels, value in found.get(name, [])] for name in EXPRESSIONS}


def a_pair(name: str, *, consumer: bool = True, ipc: str = "1", placement: str = "", **parts: float) -> Found:
    """The samples of a pair that is well, or not."""
    of = {"mechanism": name}
    found: Found = {
        "sides": [({**of, "role": "producer"}, 1), ({**of, "role": "consumer"}, 1)],
        "here": [({**of, "role": "producer", "instance": f"p-{name}", "container": "aaa", "ipc": "1"}, 1)],
        "sent": [(of, parts.get("sent", 200.0))],
        "scraped": [({}, 4)],
    }
    if consumer:
        found["here"].append(({**of, "role": "consumer", "instance": f"c-{name}", "container": "bbb", "ipc": ipc}, 1))
        found["received"] = [({**of, "instance": f"c-{name}"}, parts.get("received", 200.0))]
    if placement:
        found["placement"] = [({**of, "instance": f"c-{name}", "placement": placement}, 1)]
    for part in ("lost", "lost_updates", "in_flight"):
        if part in parts:
            found[part] = [(of, parts[part])]
    if "ENOENT" in parts:
        found["errors"] = [({**of, "errno": "ENOENT"}, parts["ENOENT"])]
    return found


def the_pair(found: Found) -> Pair:
    (pair,) = pairs(parts_of(found))
    return pair


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (a_pair("fifo"), State.FLOWS),
        (a_pair("fifo", lost=3), State.LOSES),
        (a_pair("fifo", consumer=False), State.NO_CONSUMER),
        (a_pair("fifo", received=0.0, ENOENT=12), State.REFUSED),
        (a_pair("fifo", received=0.0), State.STOPPED),
        (a_pair("fifo", received=100.0, in_flight=5000), State.BEHIND),
        (a_pair("fifo", received=100.0, in_flight=3), State.FLOWS),
        (a_pair("mmap_file", lost_updates=40), State.RACES),
        (a_pair("fifo", received=200.0, ENOENT=1), State.FLOWS),
    ],
)
def test_the_most_important_is_said(found: Found, state: State) -> None:
    assert the_pair(found).state is state


def test_a_failure_is_named_in_words() -> None:
    pair = the_pair(a_pair("fifo", received=0.0, ENOENT=12))
    assert pair.errors == {"ENOENT": Failure(12, "No such file or directory")}


def test_a_side_that_is_gone_for_long_is_no_pair_any_more() -> None:
    found = a_pair("fifo")
    found["here"], found["sides"] = [], []
    assert pairs(parts_of(found)) == []
    found["sides"] = [({"mechanism": "fifo", "role": "consumer"}, 1)]
    assert the_pair(found).state is State.GONE


def test_apart_is_another_namespace_or_a_placement_that_lacks_what_is_needed() -> None:
    assert not the_pair(a_pair("sysv_mq")).apart
    assert the_pair(a_pair("sysv_mq", ipc="2")).apart
    assert not the_pair(a_pair("fifo", ipc="2")).apart, "a FIFO needs a volume, and no namespace"
    assert the_pair(a_pair("fifo", ipc="2", placement="shared_network")).apart
    assert not the_pair(a_pair("tcp", ipc="2", placement="second_host")).apart, "a network is what it needs"


def test_what_the_kernel_holds() -> None:
    found = a_pair("sysv_shm")
    assert the_pair(found).held == Held("segment", exists=False), "its table has none"
    found["segment_bytes"] = [({"owner": "sysv_shm", "key": "0x49", "id": "7", "name": ""}, 2e6)]
    found["segment_attached"] = [({"owner": "sysv_shm", "key": "0x49", "id": "7"}, 2)]
    held = the_pair(found).held
    assert (held.kind, held.attached, held.identity) == ("segment", 2, "0x49")
    found = a_pair("posix_mq")
    found["queue_messages"] = [({"owner": "posix_mq", "name": "/q"}, 3)]
    found["queue_limit_messages"] = [({"owner": "posix_mq", "name": "/q"}, 10)]
    held = the_pair(found).held
    assert (held.used, held.limit, held.unit) == (3, 10, "messages")
    found = a_pair("fifo")
    found["buffer"] = [
        ({"mechanism": "fifo", "role": side}, used) for side, used in (("producer", 9.0), ("consumer", 5.0))
    ]
    found["buffer_limit"] = [({"mechanism": "fifo", "role": "consumer"}, 65536)]
    held = the_pair(found).held
    assert (held.kind, held.used, held.limit) == ("buffer", 9.0, 65536)
    assert the_pair(a_pair("mmap_file")).held.kind == "file"


def test_a_box_has_the_numbers_of_its_own_container() -> None:
    found = a_pair("fifo")
    found["memory"] = [({"instance": "c-fifo"}, 14e6), ({"instance": "p-fifo"}, 12e6)]
    found["cpu"], found["fixed_cpu"] = [({"instance": "c-fifo"}, 0.01)], [({"instance": "c-fifo"}, 0.02)]
    found["restarts"] = [({"instance": "c-fifo"}, 2)]
    pair = the_pair(found)
    (consumer,), (producer,) = pair.consumers, pair.producers
    assert (consumer.memory_bytes, consumer.restarts) == (14e6, 2)
    assert consumer.cpu_cores == pytest.approx(0.03)
    assert (producer.memory_bytes, producer.cpu_cores, producer.restarts) == (12e6, None, 0)


def test_trouble_is_told_apart() -> None:
    assert snapshot(parts_of({}))["trouble"] == "just_started"
    assert snapshot(parts_of({"scraped": [({}, 1)]}))["trouble"] == "empty"
    assert snapshot(parts_of(a_pair("fifo")))["trouble"] is None


def test_one_question_is_taken_apart_again() -> None:
    text = joined({"a": "up", "b": "down"})
    assert text == 'label_replace(up, "picture_part", "a", "", "") or label_replace(down, "picture_part", "b", "", "")'
    samples = [Sample({"picture_part": "b", "x": "1"}, 2.0)]
    assert parted(samples, {"a": "up", "b": "down"}) == {"a": [], "b": samples}


_SHARES = {
    **dict.fromkeys(("sysv_mq", "sysv_shm", "posix_mq"), "ipc namespace"),
    "posix_shm": "/dev/shm",
    **dict.fromkeys(("fifo", "mmap_file", "plain_file", "unix_stream", "anonymous_pipe"), "volume"),
    **dict.fromkeys(("tcp", "udp"), "network"),
}


def a_lab(*names: str) -> list[Pair]:
    sides = ([Box("producer", here=True)], [Box("consumer", here=True)])
    return [
        Pair(name, State.FLOWS, _SHARES[name], False, *sides, Held("file", exists=True), 200.0, 200.0)
        for name in sorted(names or _SHARES)
    ]


def boxes(found: Layout) -> list[Rectangle]:
    return [box for row in found.rows for box in (row.producer, row.held, row.consumer)]


def overlap(a: Rectangle, b: Rectangle) -> bool:
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h


@pytest.mark.parametrize("second_host", [False, True])
@pytest.mark.parametrize("names", [(), ("fifo",), ("fifo", "tcp"), ("sysv_mq", "sysv_shm", "udp"), ("posix_shm",)])
def test_nothing_overlaps_and_everything_is_inside(names: tuple[str, ...], second_host: bool) -> None:
    found = layout(a_lab(*names), second_host=second_host)
    assert {row.mechanism for row in found.rows} == set(names or _SHARES)
    drawn = boxes(found)
    assert not [(a, b) for at, a in enumerate(drawn) for b in drawn[at + 1 :] if overlap(a, b)]
    assert all(box.x >= 0 and box.x + box.w <= WIDTH and box.y >= 0 and box.y + box.h <= found.height for box in drawn)
    if found.second_host:
        assert not [box for box in drawn if overlap(box, found.second_host)]


def test_all_pairs_fit_a_screen_of_720_lines() -> None:
    assert layout(a_lab(), second_host=False).height <= 580
    assert layout(a_lab(), second_host=True).height <= 580


def test_without_a_second_host_messages_flow_to_the_right() -> None:
    assert not [row for row in layout(a_lab(), second_host=False).rows if row.to_left]


def test_beside_a_second_host_messages_flow_towards_the_middle() -> None:
    for row in layout(a_lab(), second_host=True).rows:
        left, right = sorted((row.producer, row.consumer), key=lambda box: box.x)
        assert left.x < row.held.x < right.x
        assert abs(row.consumer.x + 64 - WIDTH / 2) < abs(row.producer.x + 64 - WIDTH / 2)
        assert row.to_left is (row.consumer is left)


def moved(pair: Pair, placement: str) -> Pair:
    return replace(pair, apart=True, consumers=[Box("consumer", here=True, placement=placement)])


def test_a_consumer_on_the_second_host_is_drawn_there_in_its_row() -> None:
    lab = [moved(pair, "second_host") if pair.mechanism in ("sysv_mq", "fifo") else pair for pair in a_lab()]
    found = layout(lab, second_host=True)
    assert found.second_host is not None
    for row in found.rows:
        assert overlap(row.consumer, found.second_host) is (row.mechanism in ("sysv_mq", "fifo"))
        assert row.consumer.y == row.producer.y


def within(a: Rectangle, b: Rectangle) -> bool:
    return b.x <= a.x and a.x + a.w <= b.x + b.w and b.y <= a.y and a.y + a.h <= b.y + b.h


@pytest.mark.parametrize("names", [(), ("fifo",), ("fifo", "posix_mq", "sysv_mq", "sysv_shm", "tcp", "udp")])
def test_a_consumer_on_the_second_host_is_whole_in_it(names: tuple[str, ...]) -> None:
    """That of the last row stood across its lower edge."""
    found = layout([moved(pair, "second_host") for pair in a_lab(*names)], second_host=True)
    assert found.second_host is not None
    assert [row.mechanism for row in found.rows if not within(row.consumer, found.second_host)] == []
    assert [row.mechanism for row in found.rows if overlap(row.producer, found.second_host)] == []


def inside(outline: Any, x: float, y: float) -> bool:
    """Whether a point is in a polygon: so many edges are crossed by a ray (an odd number is inside)."""
    crossed = False
    for (x1, y1), (x2, y2) in zip(outline, [*outline[1:], outline[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            crossed = not crossed
    return crossed


@pytest.mark.parametrize("apart", ["sysv_mq", "posix_mq", "sysv_shm", "fifo", "udp"])
def test_a_frame_steps_back_around_the_consumer_that_was_moved(apart: str) -> None:
    lab = [moved(pair, "shared_network") if pair.mechanism == apart else pair for pair in a_lab()]
    found = layout(lab, second_host=False)
    for row in found.rows:
        (frame,) = [frame for frame in found.frames if row.mechanism in frame.mechanisms]
        for box, expected in ((row.producer, True), (row.held, True), (row.consumer, row.mechanism != apart)):
            assert inside(frame.outline, box.x + box.w / 2, box.y + box.h / 2) is expected, row.mechanism
