"""One Prometheus for all browsers: what is asked twice is asked once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from labctl.lab.ports import free_port
from labpage.live import Live
from labpage.prometheus import Prometheus, PrometheusSilent
from support.json_server import Request, json_server, success


def run(answer: Callable[[Request], tuple[int, Any]], work: Callable[[Prometheus], Coroutine[Any, Any, None]]) -> None:
    async def main(port: int) -> None:
        prometheus = Prometheus(f"http://127.0.0.1:{port}")
        try:
            await work(prometheus)
        finally:
            await prometheus.close()

    with json_server(answer) as port:
        asyncio.run(main(port))


def test_twenty_browsers_ask_once() -> None:
    asked: list[str] = []

    def answer(request: Request) -> tuple[int, Any]:
        asked.append(request.query["query"])
        return success([{"metric": {"mechanism": "fifo"}, "value": [0, "200"]}])

    async def work(prometheus: Prometheus) -> None:
        answers = await asyncio.gather(*(prometheus.query("up", every_s=60) for _ in range(20)))
        assert {sample.value for found in answers for sample in found} == {200.0}
        await prometheus.query("up", every_s=60)
        assert asked == ["up"]
        await prometheus.query("up", every_s=0)
        assert asked == ["up", "up"]

    run(answer, work)


def test_one_browser_that_leaves_takes_the_answer_from_nobody() -> None:
    async def work(prometheus: Prometheus) -> None:
        leaving, staying = (asyncio.create_task(prometheus.query("up", 60)) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        assert (await staying)[0].value == 1.0

    run(lambda _: success([{"metric": {}, "value": [0, "1"]}]), work)


def test_a_range_is_at_whole_steps_so_that_all_ask_the_same() -> None:
    asked: list[dict[str, str]] = []

    def answer(request: Request) -> tuple[int, Any]:
        asked.append(request.query)
        return success([{"metric": {}, "values": [[10, "1"], [20, "2"]]}])

    async def work(prometheus: Prometheus) -> None:
        (line,) = await prometheus.query_range("up", 300, 10)
        assert (line.times, line.values) == ([10, 20], [1.0, 2.0])

    run(answer, work)
    (query,) = asked
    assert float(query["end"]) % 10 == 0
    assert float(query["end"]) - float(query["start"]) == 300


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((400, {"status": "error", "error": "parse error\nat 1:1"}), "parse error"),
        ((200, {"status": "error"}), "no reason given"),
    ],
)
def test_a_refusal_is_said_in_one_line(answer: tuple[int, Any], said: str) -> None:
    async def work(prometheus: Prometheus) -> None:
        with pytest.raises(PrometheusSilent) as error:
            await prometheus.query("(")
        assert str(error.value) == said

    run(lambda _: answer, work)


def test_nobody_there_is_said() -> None:
    async def main() -> None:
        with pytest.raises(PrometheusSilent, match="nothing answers"):
            await Prometheus(f"http://127.0.0.1:{free_port()}").query("up")

    asyncio.run(main())


def test_answers_kept_are_bounded() -> None:
    async def work(prometheus: Prometheus) -> None:
        for number in range(600):
            await prometheus.query(f"up + {number}", every_s=0)
        assert len(prometheus._kept) <= 500

    run(lambda _: success([]), work)


def test_prometheus_is_read_for_those_who_look_and_once_for_all() -> None:
    reads: list[int] = []

    async def read() -> dict[str, Any]:
        reads.append(1)
        return {"number": len(reads)}

    async def main() -> None:
        live = Live(read, every_s=0.01)
        await asyncio.sleep(0.05)
        assert not reads, "nobody looks"
        streams = [live.events() for _ in range(5)]
        heads = [await anext(stream) for stream in streams]
        assert set(heads) == {"retry: 1000\n\n"}
        events = [await anext(stream) for stream in streams]
        assert all(event.startswith('data: {"number":') for event in events)
        assert live.listeners == 5
        for stream in streams:
            await stream.aclose()  # type: ignore[attr-defined]
        assert live.listeners == 0
        await asyncio.sleep(0.05)
        seen = len(reads)
        await asyncio.sleep(0.05)
        assert len(reads) == seen, "nobody looks any more"

    asyncio.run(main())


def test_a_slow_browser_gets_the_newest_and_holds_nothing_up() -> None:
    numbers = iter(range(1000))

    async def read() -> dict[str, Any]:
        return {"number": next(numbers)}

    async def main() -> None:
        live = Live(read, every_s=0.001)
        slow, fast = live.events(), live.events()
        await anext(slow)
        await anext(fast)
        for _ in range(20):
            last = await anext(fast)
        late = await anext(slow)
        assert int(late.split(":")[2].strip("}\n")) >= int(last.split(":")[2].strip("}\n")) - 3
        await slow.aclose()  # type: ignore[attr-defined]
        await fast.aclose()  # type: ignore[attr-defined]

    asyncio.run(main())
