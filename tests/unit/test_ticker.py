"""The ticker: at once when it is woken, never two at a time, and known to hang when it does. And alarms, told once."""

import json
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from patience import PATIENCE as LONG
from patience import until

from pipeline.alerts import Alarm, messenger
from pipeline.clock import FrozenClock, SystemClock
from pipeline.delivery import PATIENCE
from pipeline.errors import SettingsError, TocsinError
from pipeline.ticker import SAFETY_NET, Ticker

CLOCK = FrozenClock(datetime(2026, 2, 1, 9, 0, tzinfo=UTC))


def test_it_ticks_at_once_and_again_when_it_is_woken() -> None:
    ticks: list[int] = []
    ticker = Ticker(lambda: ticks.append(1), CLOCK, every=60)
    ticker.start()
    until(lambda: len(ticks) == 1)
    ticker.wake()
    until(lambda: len(ticks) == 2)
    ticker.stop()


def test_who_is_woken_often_in_a_moment_ticks_seldom() -> None:
    ticks: list[int] = []
    ticker = Ticker(lambda: ticks.append(1), CLOCK, every=60)
    ticker.start()
    until(lambda: len(ticks) == 1)
    for _ in range(200):
        ticker.wake()
    until(lambda: len(ticks) > 1)
    assert len(ticks) < 100
    ticker.stop()


def test_who_was_woken_before_the_wall_clock_was_set_back_is_woken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks: list[int] = []
    ticker = Ticker(lambda: ticks.append(1), CLOCK, every=600)
    ticker.start()
    until(lambda: ticks and not ticker._busy.locked())
    with monkeypatch.context() as fast:
        fast.setattr(ticker, "_wall", FrozenClock(SystemClock().now() + timedelta(hours=3)))
        ticker.wake()
    ticker.wake()
    until(lambda: len(ticks) == 2)
    ticker.stop()


def test_a_wall_clock_that_was_set_back_does_not_put_off_the_next_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks: list[int] = []
    with monkeypatch.context() as fast:
        fast.setattr(SystemClock, "_wall", FrozenClock(SystemClock().now() + timedelta(hours=3)).now)
        ticker = Ticker(lambda: ticks.append(1), CLOCK, every=0.05)
        ticker.start()
    time.sleep(0.1)
    assert not ticks
    ticker.mind_the_clock()
    until(lambda: len(ticks) > 3)
    ticker.stop()


@pytest.mark.parametrize("days", [1, -1, 4000])
def test_no_clock_that_is_set_makes_a_ticker_hang_and_each_time_it_ticks_at_once(
    monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    ticks: list[int] = []
    ticker = Ticker(lambda: ticks.append(1), CLOCK, every=600)
    ticker.start()
    until(lambda: len(ticks) == 1)
    shown = SystemClock._wall
    monkeypatch.setattr(SystemClock, "_wall", staticmethod(lambda: shown() + timedelta(days=days)))
    ticker.mind_the_clock()
    assert 0 <= ticker.age() < ticker.patience
    assert not ticker.hangs()
    if days < 0:  # the scheduler itself reads a clock that was not set
        until(lambda: len(ticks) == 2)
    ticker.stop()


def test_who_is_woken_in_the_middle_of_a_tick_ticks_once_more_after_it() -> None:
    ticks: list[int] = []
    go_on = threading.Event()

    def tick() -> None:
        ticks.append(1)
        go_on.wait(LONG)

    ticker = Ticker(tick, CLOCK, every=60)
    ticker.start()
    until(lambda: ticks)
    ticker.wake()
    time.sleep(0.2)
    assert len(ticks) == 1
    go_on.set()
    until(lambda: len(ticks) == 2)
    ticker.stop()


def test_no_call_is_lost_however_many_come_at_once(caplog: pytest.LogCaptureFixture) -> None:
    asked = done = 0

    def tick() -> None:
        nonlocal done
        seen = asked
        time.sleep(0.005)
        done = max(done, seen)

    ticker = Ticker(tick, CLOCK, every=60)
    ticker.start()
    for _ in range(100):
        asked += 1
        ticker.wake()
        time.sleep(0.002)
    until(lambda: done == 100)
    ticker.stop()
    assert "skipped" not in caplog.text


def test_a_tick_that_fails_is_followed_by_the_next_one() -> None:
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(1)
        raise RuntimeError

    ticker = Ticker(tick, CLOCK, every=0.05)
    ticker.start()
    until(lambda: len(ticks) > 2)
    assert not ticker.hangs()
    ticker.stop()


def test_a_tick_that_never_ends_is_known_to_hang_unless_it_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds, begun, go_on = 0.0, threading.Event(), threading.Event()
    monkeypatch.setattr("pipeline.ticker.elapsed", lambda: seconds)

    def tick() -> None:
        begun.set()
        go_on.wait(LONG)

    ticker = Ticker(tick, CLOCK, every=60, patience=300)
    ticker.start()
    assert begun.wait(LONG)
    for _ in range(10):
        seconds += 299
        assert not ticker.hangs()
        ticker.beat()
    seconds += 301
    assert ticker.hangs()
    go_on.set()
    ticker.stop()


def test_it_waits_five_rounds_and_never_less_than_one_slow_message() -> None:
    assert Ticker(lambda: None, CLOCK, every=SAFETY_NET).patience > PATIENCE
    assert Ticker(lambda: None, CLOCK, every=600).patience == 3000


def test_trouble_is_told_once_and_again_when_it_comes_back() -> None:
    told: list[str] = []
    alarm = Alarm(told.append)
    for troubles in (
        {"server": "away"},
        {"server": "still away"},
        {"server": "away", "letter": "wrong"},
        {},
        {"server": "back"},
    ):
        alarm.troubles({name: TocsinError(words) for name, words in troubles.items()})
    assert told == ["tocsin: away", "tocsin: wrong", "tocsin: back"]


def test_trouble_is_told_in_the_language_of_the_moment() -> None:
    told: list[str] = []
    speech = {"away": "absent"}
    alarm = Alarm(told.append, lambda: lambda text: speech.get(text, text))
    alarm.say(TocsinError("{what}", what=TocsinError("away")))
    speech["away"] = "parti"
    alarm.say(TocsinError("{what}", what=TocsinError("away")))
    assert told == ["tocsin: absent", "tocsin: parti"]


def test_a_command_gets_the_words_on_its_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "told"
    messenger(f"{sys.executable} -c \"import sys; open('{file}', 'w').write(sys.stdin.read())\"")("away")
    assert file.read_text() == "away\n"


def test_an_address_gets_them_as_json() -> None:
    got: list[object] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        messenger(f"http://127.0.0.1:{server.server_port}/hook")("away")
        thread.join()
    assert got == [{"text": "away"}]


@pytest.mark.parametrize("target", ["http://127.0.0.1:9/x", "/no/such/command", f"{sys.executable} -c exit(3)"])
def test_what_cannot_be_told_is_logged_and_stops_nothing(target: str, caplog: pytest.LogCaptureFixture) -> None:
    messenger(target)("away")
    assert "TOCSIN_ALERT" in caplog.text
    assert target not in caplog.text


def test_a_command_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(SettingsError, match="TOCSIN_ALERT"):
        messenger("mail 'ops")
