"""Any season of edits, publications, sendings, jumps of the clock, failures and deaths keeps what mail promises."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from mail_season import FULL_HEAD, KILLS, TAKES_AND_KILLS, Facts, Season, scheduling
from mortality import Life
from postgresql_server import PostgreSQL, running

from pipeline.delivery import Fate, Outcome, Step
from pipeline.ledger import event_of
from pipeline.reminders.moments import last_chance
from pipeline.reminders.occasions import Kind
from pipeline.reminders.plan import plan
from pipeline.store.campaigns import told_lines
from pipeline.store.holding import HELD
from pipeline.store.tables import IN_HAND
from pipeline.testing import BROKEN, UNKNOWN, deferred, refused

NAMES = ("ada", "bob", "cy")
EVENTS = ("bees", "wasps")
CHOICES = (
    frozenset(Kind), frozenset({Kind.REMINDERS}), frozenset({Kind.ANNOUNCEMENTS}),
    frozenset({Kind.CHANGES, Kind.ANNOUNCEMENTS}),
)  # fmt: skip
EDITS = (
    {"date": "2027-03-10"}, {"date": "2027-03-18"}, {"date": "2027-03-03"}, {"date": "2027-02-20"}, {"date": None},
    {"time": "19:00"}, {"time": "20:30"}, {"time": "07:15"}, {"time": None},
    {"status": "confirmed"}, {"status": "cancelled", "notice": "The room is flooded."},
    {"status": "postponed", "notice": "The speaker is ill."}, {"notice": "Bring a coat."}, {"title": "Of bees"},
    {"there": False}, {"there": True},
)  # fmt: skip
CUT = Outcome(Fate.BROKEN, Step.BODY, None, "Connection unexpectedly closed")
ANSWERS = st.sampled_from(
    (deferred(), refused(), refused("5.1.1 no such user"), BROKEN, CUT, UNKNOWN, KILLS, TAKES_AND_KILLS,
     "after_claim", "before_start", "after_start", "after_outcome", "before_last_commit")
)  # fmt: skip
STEPS = tuple(timedelta(minutes=minutes) for minutes in (3, 11, 60, 300, 720, 1440, 4320))


class MailMachine(RuleBasedStateMachine):
    """What organisers, readers, operators, servers and clocks may do, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.season = self.new_season()

    def new_season(self) -> Season:
        return Season()

    @initialize()
    def begin(self) -> None:
        self.season.join("ada", frozenset(Kind))
        self.season.publish()

    @rule(event=st.sampled_from(EVENTS), edits=st.lists(st.sampled_from(EDITS), min_size=1, max_size=2))
    def edit(self, event: str, edits: list[dict[str, object]]) -> None:
        facts = self.season.draft[event]
        for change in edits:
            facts = replace(facts, **change)  # type: ignore[arg-type]
        if facts.date is None:
            facts = replace(facts, time=None)
        self.season.draft[event] = _valid(facts)

    @rule()
    def publish(self) -> None:
        self.season.publish()

    @rule(event=st.sampled_from(EVENTS), change=st.sampled_from(EDITS))
    def edit_and_publish(self, event: str, change: dict[str, object]) -> None:
        self.edit(event, [change])
        self.season.publish()

    @rule()
    def arm(self) -> None:
        self.season.arm()

    @precondition(lambda self: self.season.armed)
    @rule()
    def hold(self) -> None:
        self.season.hold()

    @rule(name=st.sampled_from(NAMES), kinds=st.sampled_from(CHOICES))
    def join(self, name: str, kinds: frozenset[Kind]) -> None:
        if name not in self.season.readers:
            self.season.join(name, kinds)

    @rule(name=st.sampled_from(NAMES))
    def leave(self, name: str) -> None:
        if name in self.season.readers and self.season.readers[name].active:
            self.season.leave(name)

    @rule(step=st.sampled_from(STEPS))
    def wait(self, step: timedelta) -> None:
        self.season.clock.instant += step

    @rule(step=st.sampled_from(STEPS[:5]))
    def turn_the_clock_back(self, step: timedelta) -> None:
        self.season.clock.instant -= step

    @rule(step=st.sampled_from(STEPS), script=st.lists(ANSWERS, max_size=3))
    def send(self, step: timedelta, script: list[object]) -> None:
        self.season.clock.instant += step
        self.season.send(script)
        self.look()

    @rule(step=st.sampled_from(STEPS), left=st.integers(1, 12), after=st.booleans())
    def send_and_die(self, step: timedelta, left: int, after: bool) -> None:
        self.season.clock.instant += step
        self.season.send([], Life(left, after))
        self.look()

    def look(self) -> None:
        assert not self.season.problems, "\n".join(self.season.problems)
        # By its owner it is found what is in hand, by the state what that means.
        assert [row for row in self.season.rows() if (row.owner is not None) != (row.state in IN_HAND)] == []

    def teardown(self) -> None:
        """Half a day without a fault later everything has come to rest."""
        season = self.season
        try:
            season.arm()
            lines = season.ledger.lines
            season.clock.instant = max([season.clock.instant, *(line.at for line in lines)])
            began = season.clock.instant
            for _ in range(14):
                season.send([])
                season.clock.instant += timedelta(hours=1)
            season.send([])
            self.look()
            assert _unaccounted(season) == []
            assert [problem for event in EVENTS for problem in _misinformed(season, event, began)] == []
        finally:
            season.lasting.close()


class FullMachine(MailMachine):
    """The same with all kinds of mail: newsletters and their corrections, digests, a list, proofs, holding one."""

    def new_season(self) -> Season:
        return Season(FULL_HEAD)

    @rule(wait=st.sampled_from(STEPS[:5]))
    def write_a_newsletter(self, wait: timedelta) -> None:
        self.season.write_newsletter(wait)
        self.season.publish()

    @precondition(lambda self: self.season.newsletters)
    @rule(wait=st.sampled_from(STEPS[:5]), data=st.data())
    def correct_a_newsletter(self, wait: timedelta, data: st.DataObject) -> None:
        self.season.write_newsletter(wait, data.draw(st.integers(0, len(self.season.newsletters) - 1)))
        self.season.publish()

    @rule(number=st.integers(0, 20))
    def hold_one(self, number: int) -> None:
        self.season.hold_one(number)

    @rule()
    def release(self) -> None:
        self.season.release_all()


def _valid(facts: Facts) -> Facts:
    """A postponed or cancelled event says why."""
    if facts.status != "confirmed" and not facts.notice:
        return replace(facts, notice="It can't be.")
    return facts


def _unaccounted(season: Season) -> list[str]:
    """What is due and neither left nor was dropped with a reason."""
    now, found = season.clock.now(), []
    for row in season.rows():
        if row.state in ("pending", "claimed", "sending", "retry"):
            found.append(f"{row.key} still waits for {row.address}: {row.state}, {row.reason}")
        elif row.state in ("failed", "dropped", "doubt") and not row.reason:
            found.append(f"{row.key} for {row.address} is {row.state} without a reason")
    known = season.campaigns()
    with season.lasting.look() as connection:
        told = told_lines(connection, "talks")
    assert season.edition is not None
    for occasion in plan(season.edition, now - timedelta(days=2), told=told).occasions:
        row = known.get(occasion.key)
        if occasion.due <= now and (
            row is None or row.state == "planned" or (row.state == "dropped" and not row.reason)
        ):
            found.append(f"{occasion.key} was due at {occasion.due} and is forgotten")
    return found


def _misinformed(season: Season, event: str, began: datetime) -> list[str]:
    """Who last heard something else of an event than what is published, although there was time to tell."""
    lines = season.ledger.of(event)
    if not lines:
        return []
    current, known, found = lines[-1], season.campaigns(), []
    if any(row.event == event and row.reason == HELD for row in known.values()):
        return []
    excused = {row.address for row in season.rows() if row.event == event and row.state in ("failed", "doubt")}
    for name, reader in season.readers.items():
        address = f"{name}@reader.example"
        heard = [taken.campaign for taken in season.taken if taken.address == address]
        about = [known[key] for key in heard if known[key].event == event]
        if not about or not reader.active or address in excused or name in season.suspended():
            continue
        told = season.line(event, about[-1].told)
        if scheduling(told) == scheduling(current) or not _could_be_told(told, current, began):
            continue
        if _only_more_precise(told, current) and Kind.CHANGES not in reader.kinds:
            continue
        found.append(f"{name} heard {scheduling(told)} in {about[-1].key}, now it is {scheduling(current)}")
    return found


def _could_be_told(told, current, began: datetime) -> bool:
    chances = [last_chance(event_of(line.facts)[0].when) for line in (told, current)]
    dated = [chance for chance in chances if chance is not None]
    return max(dated, default=current.at + timedelta(days=7)) > began


def _only_more_precise(told, current) -> bool:
    one, other = scheduling(told), scheduling(current)
    return all(one[key] in (None, other[key]) for key in one)


@pytest.mark.parametrize("machine", [MailMachine, FullMachine])
def test_nothing_is_lost_doubled_stale_or_early_whatever_happens(machine: type[MailMachine]) -> None:
    long = os.environ.get("HYPOTHESIS_PROFILE") == "long"
    run(machine, 2000 if long else 25, 40 if long else 25)


@pytest.fixture
def postgresql() -> Iterator[PostgreSQL]:
    with running() as server:
        yield server


def test_nor_on_postgresql(postgresql: PostgreSQL) -> None:
    class Shared(FullMachine):
        def new_season(self) -> Season:
            return Season(FULL_HEAD, postgresql.database())

    long = os.environ.get("HYPOTHESIS_PROFILE") == "long"
    run(Shared, 100 if long else 4, 40 if long else 20)


def run(machine: type[MailMachine], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
