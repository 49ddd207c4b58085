"""Answers of Prometheus as what the browser draws, for each kind of panel."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from dashboards.__main__ import JSON
from hypothesis import given
from hypothesis import strategies as st

from labpage.panels import display, promql, translation, why
from labpage.panels.asking import Request
from labpage.panels.definition import Kind, Look, Mapped, Merge, Panel, Place, Query, Step
from labpage.panels.drawing import draw
from labpage.panels.marks import happened
from labpage.panels.reader import read_all
from labpage.panels.results import legend, table_of
from labpage.panels.service import InvalidRequestError, PanelService
from labpage.prometheus import Line, PrometheusSilent, Sample

BOARDS = read_all(JSON)
GRAFANA = 'up{job="grafana"}'


class Answers:
    """Series that are the answer to every question, and how often it was asked."""

    def __init__(self, *series: tuple[Mapping[str, str], float | list[float | None]], silent: bool = False) -> None:
        self.series, self.silent, self.asked = series, silent, 0

    async def query(self, expression: str, every_s: float = 1.0) -> list[Sample]:
        del every_s
        if expression == GRAFANA:
            return [Sample({}, 1.0)]
        self._asked()
        return [Sample(labels, value) for labels, value in self.series if isinstance(value, float)]

    async def query_range(self, expression: str, span_s: float, step_s: float, every_s: float = 1.0) -> list[Line]:
        del expression, every_s
        self._asked()
        end = time.time() // step_s * step_s
        found = []
        for labels, values in self.series:
            if isinstance(values, list):
                first = end - (len(values) - 1) * step_s
                points = [(first + n * step_s, value) for n, value in enumerate(values) if value is not None]
                found.append(Line(labels, [at for at, _ in points], [value for _, value in points]))
        assert span_s > 0
        return found

    def _asked(self) -> None:
        self.asked += 1
        if self.silent:
            raise PrometheusSilent("nothing answers at its address")


def drawn(board: str, title: str, answers: Answers, language: str = "en") -> dict[str, Any]:
    found = next(panel for panel in BOARDS[board].panels if panel.title == title)
    offered = {variable.name: [option.text for option in variable.options] for variable in BOARDS[board].variables}
    request = Request(BOARDS[board], promql.choices(BOARDS[board], {}, offered), 300, 5.0, translation.of(language))
    return asyncio.run(draw(found, request, answers))


def test_a_line_has_its_name_look_and_gaps() -> None:
    made = drawn("faults", "Is everything that is sent received?", Answers(({"mechanism": "fifo"}, [1.0, None, 3.0])))
    received, sent = made["lines"]
    assert (received["name"], sent["name"]) == ("fifo", "fifo sent")
    assert received["values"][-3:] == [1.0, None, 3.0]
    assert set(received["values"][:-3]) == {None}
    assert received["colour"] == sent["colour"]
    assert (received["dash"], sent["dash"]) == ([], [8, 6])
    assert (received["in_legend"], sent["in_legend"]) == (True, False)
    assert made["axis"]["low"] == 0


def test_a_logarithmic_axis_begins_at_a_power_of_ten() -> None:
    made = drawn("start", "How long does a message take?", Answers(({"mechanism": "fifo"}, [4e-4, 2e-3])))
    assert made["log"]
    assert made["axis"]["low"] == pytest.approx(1e-5)
    assert made["axis"]["high"] >= 2e-3


def test_a_number_is_the_last_one_with_its_unit_and_colour() -> None:
    made = drawn("start", "Lost", Answers(({}, [0.0, 3.0, None])))
    assert made["numbers"] == [{"name": "", "text": "3", "colour": "#D55E00", "value": 3.0}]
    assert drawn("start", "Pairs at work", Answers(({}, [11.0])))["numbers"][0]["text"] == "11 of 11"


def test_buckets_become_bands() -> None:
    answers = Answers(({"le": "1.024e-06"}, [1.0]), ({"le": "2.048e-06"}, [5.0]), ({"le": "+Inf"}, [5.0]))
    made = drawn("mechanism", "How are the latencies distributed?", answers)
    assert made["bands"] == ["1 µs", "2 µs"]
    assert [(band, count) for _, band, count in made["cells"]] == [(0, 1.0), (1, 4.0)]


def test_neighbours_of_one_state_are_one_bar() -> None:
    answers = Answers(({"mechanism": "tcp"}, [1.0, 1.0, 0.0, None, 1.0, 1.0]))
    made = drawn("hosts", "Reached from shared network?", answers)
    (row,) = made["rows"]
    assert [part["text"] for part in row["parts"]] == ["reached", "refused", "reached"]
    assert row["parts"][0]["to"] == row["parts"][1]["from"]
    assert row["parts"][1]["to"] < row["parts"][2]["from"], "a gap stays one"
    korean = drawn("hosts", "Reached from shared network?", answers, "ko")
    assert [part["text"] for part in korean["rows"][0]["parts"]] == ["닿음", "거절됨", "닿음"]


def test_rows_of_all_queries_become_one_and_columns_have_their_names_and_order() -> None:
    made = drawn(
        "start", "What does each mechanism do now?", Answers(({"mechanism": "udp"}, 2.0), ({"mechanism": "fifo"}, 0.0))
    )
    names = [column["name"] for column in made["columns"]]
    assert names[:2] == ["Mechanism", "Received"]
    assert "Time" not in names
    assert [row[0]["text"] for row in made["rows"]] == ["fifo", "udp"]
    udp = dict(zip(names, made["rows"][1], strict=True))
    assert udp["Received"]["text"] == "2 msg/s"
    assert udp["Lost"]["background"] == "#D55E00"
    assert "background" not in dict(zip(names, made["rows"][0], strict=True))["Lost"]
    assert udp["Mechanism"]["link"] == "?board=mechanism&var-mechanism=udp"


def test_the_matrix_is_red_for_a_word_and_green_for_a_time() -> None:
    answers = Answers(
        ({"mechanism": "fifo", "same_container": "12"}, 1.0), ({"mechanism": "tcp", "same_container": "ENOENT"}, 1.0)
    )
    made = drawn("hosts", "Which mechanism reaches the responder, from where?", answers)
    column = [column["name"] for column in made["columns"]].index("same container")
    assert [row[column]["text"] for row in made["rows"]] == ["12 µs", "ENOENT"]
    assert [row[column]["background"] for row in made["rows"]] == ["#009E73", "#D55E00"]


def test_bars_have_a_name_for_each_size() -> None:
    answers = Answers(({"size": "64"}, 1e-6), ({"size": "1024"}, 2e-6))
    made = drawn("speed", "How does the time grow with the size? (touched)", answers)
    assert made["names"] == ["64", "1024"]
    assert {bars["name"] for bars in made["bars"]} >= {"fifo", "tcp"}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_panel_without_series_says_why(language: str) -> None:
    for board in BOARDS.values():
        for panel in board.panels:
            if panel.kind is not Kind.TEXT:
                made = drawn(board.name, panel.title, Answers(), language)
                assert made["kind"] == "empty"
                assert len(made["text"]) > 10
    words = translation.of(language).words
    bench = Panel(1, "", "", Kind.TABLE, Place(0, 0, 1, 1), [Query("A", "ipc_bench_noisy")])
    assert why.nothing(bench, translation.of(language)) == words["no_bench"]


def test_events_are_marks_and_neighbours_are_one() -> None:
    board = BOARDS["faults"]
    request = Request(board, {}, 300, 5.0, translation.of("en"))
    series = ({"mechanism": "fifo", "role": "producer"}, [1.0, 1.0, None, None, 1.0, 0.0])
    events = asyncio.run(happened(request, Answers(series)))
    assert len([event for event in events if event["what"] == "Opened"]) == 2
    assert "fifo producer: channel opened" in {event["text"] for event in events}
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)


def test_a_legend_has_labels_in_its_holes() -> None:
    assert legend("{{mechanism}} {{ role }} {{none}}", {"mechanism": "fifo", "role": "x"}) == "fifo x "
    assert legend("", {"__name__": "up", "b": "2", "a": "1"}) == 'up{a="1", b="2"}'


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 1e9)), unique_by=lambda pair: pair[0]))
def test_merged_rows_lose_no_value(pairs: list[tuple[str, float]]) -> None:
    panel = Panel(1, "", "", Kind.TABLE, Place(0, 0, 1, 1), transformations=[Merge()])
    first, second = Query("A", "a"), Query("B", "b")
    samples = [Sample({"mechanism": name}, value) for name, value in pairs]
    made = table_of(panel, [(first, samples), (second, list(reversed(samples)))])
    assert {(row["mechanism"], row["Value #A"], row["Value #B"]) for row in made.rows} == {
        (name, value, value) for name, value in pairs
    }


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.floats(-100, 100))
def test_a_threshold_holds_from_its_value_on(value: float, limit: float) -> None:
    look = Look(steps=[Step(None, "#000000"), Step(limit, "#ffffff")])
    assert display.of(value, look, {}).colour == ("#ffffff" if value >= limit else "#000000")


def test_a_word_stands_for_a_value() -> None:
    look = Look(mappings={"0": Mapped("off"), "1": Mapped("on", "#00ff00")})
    assert [display.of(value, look, {}).text for value in (0.0, 1.0, 2.0)] == ["off", "on", "2"]
    assert display.of(1.0, look, {}).colour == "#00ff00"


def service(answers: Answers) -> PanelService:
    return PanelService(BOARDS, answers)


def test_browsers_share_an_answer_and_what_nobody_sees_is_not_asked() -> None:
    answers = Answers(({}, [1.0]))

    async def many() -> list[bytes]:
        one = service(answers)
        asked = {"panels": "start.1,start.2", "every": "60"}
        return await asyncio.gather(*(one.answer(asked) for _ in range(20)))

    whole = asyncio.run(many())
    assert len(set(whole)) == 1
    assert answers.asked == 2, "one question for each of the two panels, of eleven"


def test_where_grafana_runs_the_browser_is_told() -> None:
    made = json.loads(asyncio.run(service(Answers()).answer({"panels": "start.1"})))
    assert made["grafana"] is True


def test_a_silent_prometheus_is_said_in_words() -> None:
    made = json.loads(asyncio.run(service(Answers(silent=True)).answer({"panels": "start.1", "language": "ko"})))
    assert made["panels"]["start.1"]["kind"] == "silent"
    assert "nothing answers at its address" in made["panels"]["start.1"]["text"]


@pytest.mark.parametrize(
    "asked",
    [
        {"panels": "start.999"},
        {"panels": "nothing.1"},
        {"panels": "start"},
        {"panels": "../../etc/passwd.1"},
        {"panels": "start.1", "range": "7"},
        {"panels": "start.1", "range": "1e9"},
        {"panels": "start.1", "every": "0"},
        {"panels": "start.1", "language": "xx"},
        {"panels": "start.1", "marks": "nothing"},
        {"panels": ",".join(f"start.{n}" for n in range(1, 99))},
    ],
)
def test_what_there_is_not_is_refused(asked: dict[str, str]) -> None:
    with pytest.raises(InvalidRequestError):
        asyncio.run(service(Answers()).answer(asked))
