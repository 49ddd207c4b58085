"""The page, in a real browser, of the running lab. LAB_PICTURES names a directory that keeps the pictures."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import requests

from ipclab import mechanisms
from lab.harness.browser import Tab, explained
from lab.harness.page_picture import pairs, state_of, words_of
from lab.harness.stack import Stack, wait_until
from labctl.lab.containers import freeze
from labpage.texts import LANGUAGES, texts
from labpage.views import all_views

_WIDTH, _HEIGHT = 1280, 720
_WITHIN_S = 60  # on a busy machine; nothing here says how fast anything is


@pytest.fixture
def picture(page: Tab, address: str) -> Tab:
    """The picture in English, drawn, with all pairs well."""
    page.forget()
    with explained(page):
        page.open(f"{address}/?lang=en&theme=light", _WIDTH, _HEIGHT)
        wait_until("the picture is drawn", _WITHIN_S, lambda: pairs(page) == 11)
        wait_until("all is well", _WITHIN_S, lambda: state_of(page, "fifo") == "flows" and page.ask(_HEADLINE_IS_GOOD))
    page.forget()
    return page


_HEADLINE_IS_GOOD = "document.getElementById('headline').className === 'good'"


def keep(page: Tab, name: str) -> None:
    """Write the picture, if a directory is named for it."""
    if folder := os.environ.get("LAB_PICTURES"):
        (Path(folder) / name).write_bytes(page.picture())


@contextmanager
def undone(change: Callable[[], Any], undo: Callable[[], Any]) -> Iterator[None]:
    """Change something; undo it whatever happens."""
    change()
    try:
        yield
    finally:
        undo()


def test_every_view_is_drawn_in_both_languages_and_asks_this_host_alone(page: Tab, address: str) -> None:
    with explained(page):
        for language in LANGUAGES:
            for view in all_views():
                page.open(f"{address}{view.path}?lang={language}&theme=light", _WIDTH, _HEIGHT)
                title = texts(language)(view.title)
                current = "document.querySelector('nav a[aria-current=page]')?.innerText"
                wait_until(f"{view.path} in {language}", _WITHIN_S, lambda t=title, c=current: page.ask(c) == t)  # type: ignore[misc]
                assert page.ask("document.documentElement.lang") == language
                wait_until(
                    "the content is there", _WITHIN_S, lambda: page.ask("document.getElementById('content')?.innerText")
                )
                if view.path == "/":
                    wait_until("a pair", _WITHIN_S, lambda: page.ask("document.querySelector('[data-pair]') !== null"))
                    words = texts(language)
                    assert words("picture.producer") in words_of(page, "fifo")
                    dots = "document.querySelectorAll('.messages circle').length"
                    wait_until("messages on every line", _WITHIN_S, lambda d=dots: page.ask(d) > 50)  # type: ignore[misc]
                    keep(page, f"page-picture.{language}.png")
                assert not page.complaints(), view.path
    elsewhere = [url for url in page.asked_for() if url.split("/")[2] != address.split("/")[2] and url[:5] != "data:"]
    assert not elsewhere


def test_a_paused_consumer_is_seen_and_comes_back(picture: Tab, stack: Stack) -> None:
    consumer = stack.endpoint("fifo", "consumer")
    with undone(lambda: freeze(consumer), consumer.unpause):
        wait_until("the consumer is drawn as away", _WITHIN_S, lambda: state_of(picture, "fifo") == "no_consumer")
        assert "no answer" in words_of(picture, "fifo")
        assert "fifo" in str(picture.ask("document.getElementById('headline').innerText"))
        # A page of the pipe has whole messages alone: a full pipe has room for bytes, and not for a message.
        wait_until("the buffer fills", _WITHIN_S, lambda: re.search(r"buffer [5-9]\d %", words_of(picture, "fifo")))
    wait_until("fifo flows again", _WITHIN_S, lambda: state_of(picture, "fifo") in ("flows", "loses"))


def test_a_killed_consumer_shows_its_restart_and_what_was_lost(picture: Tab, stack: Stack) -> None:
    """Its child is killed, as `docker kill` would not be followed by a restart."""
    stack.endpoint("tcp", "consumer").exec_run(["sh", "-c", "kill -9 $(cat /proc/1/task/1/children)"])
    wait_until("the restart is counted", _WITHIN_S, lambda: "↻" in words_of(picture, "tcp"))
    wait_until("tcp flows again", _WITHIN_S, lambda: state_of(picture, "tcp") == "flows")


def test_a_consumer_that_is_placed_apart_leaves_the_frame(picture: Tab, stack: Stack) -> None:
    def outline() -> int:
        """The corners of the frame of the IPC namespace."""
        return int(picture.ask("document.querySelector('.frame.ipc').getAttribute('d').split('L').length"))

    corners = outline()
    moved = stack.lab("place", "sysv_mq", "shared_network")
    try:
        assert moved.returncode == 0, moved.stderr
        # The queue lives on in the namespace of the holder: it takes messages until it is full.
        wait_until("the errno is drawn", _WITHIN_S, lambda: "EAGAIN" in words_of(picture, "sysv_mq"))
        assert state_of(picture, "sysv_mq") == "refused"
        assert picture.ask("document.querySelector('[data-pair=sysv_mq]').classList.contains('apart')")
        assert picture.ask("document.querySelectorAll('[data-pair=sysv_mq] .line.broken').length") == 1
        assert outline() > corners, "the frame steps back around it"
        keep(picture, "page-apart.png")
    finally:
        assert stack.lab("place", "sysv_mq", "--back").returncode == 0
    wait_until("sysv_mq flows again", _WITHIN_S, lambda: state_of(picture, "sysv_mq") == "flows")
    wait_until("the frame is whole", _WITHIN_S, lambda: outline() == corners)


def test_the_lock_off_is_seen_and_what_it_costs(picture: Tab, stack: Stack) -> None:
    def switch(state: str) -> None:
        assert stack.lab("lock", "mmap_file", state).returncode == 0

    with undone(lambda: switch("off"), lambda: switch("on")):
        wait_until("updates are lost", _WITHIN_S, lambda: state_of(picture, "mmap_file") == "races")
        assert "updates overwritten" in words_of(picture, "mmap_file")
    wait_until("mmap_file flows again", _WITHIN_S, lambda: state_of(picture, "mmap_file") == "flows")


def test_more_consumers_are_one_box_with_their_number(picture: Tab, stack: Stack) -> None:
    def scale(count: int) -> None:
        done = stack.lab("up", "posix_mq", "--scale", f"posix_mq.consumer={count}")
        assert done.returncode == 0, done.stderr

    with undone(lambda: scale(2), lambda: scale(1)):
        wait_until("two consumers", _WITHIN_S, lambda: "\u00d72" in words_of(picture, "posix_mq"))
    wait_until("one consumer", _WITHIN_S, lambda: "\u00d7" not in words_of(picture, "posix_mq"))


def test_anything_opens_by_keyboard_and_says_what_it_is(picture: Tab) -> None:
    for key in ("sysv_shm.held", "fifo.producer", "udp.consumer"):
        picture.ask(f"document.querySelector('[data-key=\"{key}\"]').focus()")
        picture.press("Enter")
        panel = "document.querySelector('aside[role=dialog]')"
        wait_until("the panel", _WITHIN_S, lambda p=panel: picture.ask(f"{p} !== null"))  # type: ignore[misc]
        wait_until("its graph", _WITHIN_S, lambda p=panel: picture.ask(f"{p}.querySelector('.received') !== null"))  # type: ignore[misc]
        said = str(picture.ask(f"{panel}.innerText"))
        assert texts("en")(f"mechanism.{key.partition('.')[0]}") in said
        assert mechanisms.load(key.partition(".")[0]).traits.man_page in said
        picture.press("Escape")
        wait_until("it is closed", _WITHIN_S, lambda p=panel: picture.ask(f"{p} === null"))  # type: ignore[misc]
        assert picture.ask("document.activeElement.dataset.key") == key, "the focus is where it was"
    assert not picture.complaints()


def test_the_numbers_are_those_of_prometheus(stack: Stack, address: str) -> None:
    """Of one moment: what is drawn is compared with what Prometheus says of the time that the picture names."""
    with requests.get(f"{address}/live", stream=True, timeout=10) as stream:
        data = next(line for line in stream.iter_lines() if line.startswith(b"data: "))
    snapshot = json.loads(data.removeprefix(b"data: "))
    at = snapshot["at"]
    for expression, key in (
        ("mechanism:ipc_one_way_latency_seconds:p99_5s @ {at:.3f}", "p99"),
        ("sum by (mechanism) (ipc_messages_received_total @ {at:.3f})", "received_total"),
        ("sum by (mechanism) (ipc_load_rate @ {at:.3f})", "wanted"),
    ):
        # The snapshot bears the time at which the answer was there; Prometheus had looked a little before.
        around = [
            {s["metric"]["mechanism"]: float(s["value"][1]) for s in stack.query(expression.format(at=at - step / 4))}
            for step in range(13)
        ]
        for name, pair in snapshot["pairs"].items():
            shown = pair["numbers"].get(key)
            seen = [values[name] for values in around if name in values]
            assert shown is not None, (name, key)
            assert min(seen) <= shown <= max(seen), (name, key, shown, seen)


def test_the_matrix_is_that_of_the_command(page: Tab, stack: Stack, address: str) -> None:
    page.open(f"{address}/matrix?lang=en&theme=light", _WIDTH, _HEIGHT)

    def drawn() -> dict[str, str]:
        cells = page.ask("[...document.querySelectorAll('[data-cell]')].map(b => [b.dataset.cell, b.textContent])")
        return {str(key): str(text) for key, text in cells or []}

    def traced() -> bool:
        cells = requests.get(f"{address}/matrix.json", timeout=5).json()["cells"]
        errnos = [cell for cell in cells if str(cell["error"]).startswith("E") and cell["mechanism"] != "udp"]
        return bool(errnos) and all(cell["call"] for cell in errnos if cell["error"] == "ENOENT")

    wait_until("every cell is drawn", _WITHIN_S, lambda: len(drawn()) >= 55 and "not measured" not in drawn().values())
    told = stack.lab("matrix", "--json")
    assert told.returncode == 0, told.stderr
    expected = {f"{c['mechanism']} {c['placement']}": c for c in json.loads(told.stdout)["cells"]}
    found = drawn()
    assert found.keys() == expected.keys()
    for key, cell in expected.items():
        assert found[key].startswith("✓") if cell["success"] else found[key] == f"✗ {cell['error']}", key
    keep(page, "page-matrix.png")

    wait_until("the calls are traced", 90, traced)
    key = "sysv_shm shared_network"
    page.ask(f"document.querySelector('[data-cell=\"{key}\"]').click()")
    said = str(page.ask("document.querySelector('aside').innerText"))
    assert expected[key]["reason"] in said
    assert expected[key]["source"] in said
    wait_until("the call", _WITHIN_S, lambda: "shmget(key 0x" in _opened(page, key))
    (responder,) = wait_until("the responder's", _WITHIN_S, lambda: stack.query('ipc_namespace_info{role="responder"}'))
    wait_until("its namespace", _WITHIN_S, lambda: responder["metric"]["ipc"] in _opened(page, key))
    assert not page.complaints()


def _opened(page: Tab, key: str) -> str:
    """The evidence of a cell, opened anew."""
    page.ask(f"document.querySelector('[data-cell=\"{key}\"]').click()")
    return str(page.ask("document.querySelector('aside').innerText"))


def test_predict_hides_the_matrix_and_reveals_a_cell_at_a_time(page: Tab, address: str) -> None:
    page.open(f"{address}/matrix?lang=en", _WIDTH, _HEIGHT)
    count = "[...document.querySelectorAll('[data-cell]')].filter(b => b.textContent {} '?').length"
    wait_until("the cells", _WITHIN_S, lambda: int(page.ask(count.format("!=="))) >= 55)
    page.ask("[...document.querySelectorAll('.matrix-choices button')][0].click()")
    assert page.ask(count.format("!==")) == 0
    page.ask("document.querySelector('[data-cell=\"fifo shared_volume\"]').focus()")
    page.press("Enter")
    wait_until("one is shown", _WITHIN_S, lambda: page.ask(count.format("!==")) == 1)
    assert str(page.ask("document.querySelector('[data-cell=\"fifo shared_volume\"]').textContent")).startswith("✓")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/matrix"])
def test_axe_finds_nothing_serious(page: Tab, address: str, path: str, theme: str) -> None:
    page.open(f"{address}{path}?lang=en&theme={theme}", _WIDTH, _HEIGHT)
    ready = "document.querySelector('[data-pair], [data-cell]') !== null"
    wait_until("the view", _WITHIN_S, lambda: page.ask(ready))
    page.ask((files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8") + ";0")
    found = page.run("axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify(r.violations))")
    serious = [
        (v["id"], v["nodes"][0]["html"][:200], v["nodes"][0]["failureSummary"])
        for v in json.loads(found)
        if v["impact"] in ("serious", "critical")
    ]
    assert not serious


def test_text_is_readable_from_the_last_row(picture: Tab) -> None:
    """At 1280 x 720 nothing is below 18 pixels, and nothing needs scrolling."""
    sizes = picture.ask("""[...document.querySelectorAll('.drawing text, section p, section h1, header a')].map(t => {
      const scale = t.ownerSVGElement ? t.ownerSVGElement.getScreenCTM().a : 1;
      return parseFloat(getComputedStyle(t).fontSize) * scale;
    })""")
    assert min(sizes) >= 17.5
    assert picture.ask("document.documentElement.scrollHeight") <= _HEIGHT


def test_kiosk_shows_one_view_after_the_other(page: Tab, address: str) -> None:
    page.open(f"{address}/?kiosk=4&lang=en", _WIDTH, _HEIGHT)
    wait_until("the picture", _WITHIN_S, lambda: page.ask("document.querySelector('[data-pair]') !== null"))
    assert page.ask("document.querySelector('header') === null || document.querySelector('header.top') === null")
    assert page.ask("window.lab.next.split('?')[0]") == all_views()[1].path
    wait_until("the next view", _WITHIN_S, lambda: page.ask("location.pathname") == all_views()[1].path)


def test_prometheus_away_is_said_and_the_page_goes_on(picture: Tab, stack: Stack) -> None:
    prometheus = stack.container("prometheus")

    def trouble() -> str:
        return str(picture.ask("document.getElementById('trouble')?.innerText ?? ''"))

    with undone(lambda: freeze(prometheus), prometheus.unpause):
        wait_until("it is said", _WITHIN_S, lambda: "Prometheus does not answer" in trouble())
        assert picture.ask("document.querySelector('.picture').classList.contains('old')")
    wait_until("it goes on", _WITHIN_S, lambda: trouble() == "" and picture.ask(_HEADLINE_IS_GOOD))


def test_a_clock_of_the_engine_that_is_behind_is_said(picture: Tab) -> None:
    """The browser's is set ahead, which is the same; what a virtual machine that slept does, no container can."""

    def trouble() -> str:
        return str(picture.ask("document.getElementById('trouble')?.innerText ?? ''"))

    picture.ask("window.realNow = Date.now; Date.now = () => window.realNow() + 1200e3")
    wait_until("it is said", _WITHIN_S, lambda: "The engine's clock is 1,20" in trouble() and "s behind" in trouble())
    picture.ask("Date.now = window.realNow")
    wait_until("it is over", _WITHIN_S, lambda: trouble() == "")


def test_the_page_killed_is_said_and_comes_back_by_itself(picture: Tab, stack: Stack) -> None:
    container = stack.container("page")

    def trouble() -> str:
        return str(picture.ask("document.getElementById('trouble')?.innerText ?? ''"))

    with undone(lambda: container.kill("SIGKILL"), container.start):
        wait_until("it is said", _WITHIN_S, lambda: "server of this page does not answer" in trouble())
    drawn = "document.querySelectorAll('.pair').length"
    wait_until("it goes on", _WITHIN_S, lambda: trouble() == "" and picture.ask(drawn) == 11)
    at = picture.ask("document.querySelector('.picture').dataset.at")
    wait_until("new numbers", _WITHIN_S, lambda: picture.ask("document.querySelector('.picture').dataset.at") != at)


def test_a_thousand_sockets_leave_room_for_a_browser(stack: Stack, address: str) -> None:
    port = int(address.rpartition(":")[2])
    sockets = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(1000)]
    try:
        wait_until("the page answers again", _WITHIN_S, lambda: _is_healthy(address))
    finally:
        for one in sockets:
            one.close()
    memory = stack.container("page").stats(stream=False)["memory_stats"]
    assert memory["usage"] < memory["limit"]
    assert stack.container("page").attrs["RestartCount"] == 0


def _is_healthy(address: str) -> bool:
    try:
        return requests.get(f"{address}/health", timeout=2).text == "ok\n"
    except requests.RequestException:
        return False


def test_the_container_is_confined(stack: Stack) -> None:
    page = stack.container("page")
    host = page.attrs["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert not page.attrs["Mounts"]
    assert page.attrs["Config"]["User"] == "10001:10001"
    assert {port["HostIp"] for port in page.attrs["NetworkSettings"]["Ports"]["8080/tcp"]} == {"127.0.0.1"}


def test_open_page_and_status_name_it(stack: Stack, address: str) -> None:
    opened = stack.lab("open", "page", DISPLAY="", WAYLAND_DISPLAY="")
    assert opened.stdout == f"{address}/\n"
    assert address in stack.lab("status").stdout
