"""The ledger: what publishing adds, and what is derived from the set of its lines."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from pipeline import ledger as journal
from pipeline.catalogue.load import Source, load
from pipeline.catalogue.models import Catalogue
from pipeline.edition import Edition, as_of
from pipeline.errors import LedgerError
from pipeline.ledger import Ledger, LineKind, pending_lines
from pipeline.outputs.keys import keys

NOON = datetime(2022, 9, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def catalogue(text: str, *changes: tuple[str, str]) -> Catalogue:
    for there, typed in changes:
        assert there in text
        text = text.replace(there, typed, 1)
    return load(Source("events.toml", text)).catalogue


def published(*editions: Catalogue, apart: timedelta = HOUR) -> Ledger:
    ledger = Ledger()
    for number, edition in enumerate(editions):
        ledger = ledger.extended(pending_lines(edition, ledger, NOON + number * apart))
    return ledger


MOVE = ('date = 2022-10-25\nweekday = "Tuesday"', 'date = 2022-10-27\nweekday = "Thursday"')
CANCEL = ('kind.en = "discussion"', 'kind.en = "discussion"\nstatus = "cancelled"\nnotice = "The room is flooded."')
EDIT = ('role.en = "sociologist"', 'role.en = "historian"')
TIME_KNOWN = ('tba = ["time", "resources"]', 'time = "18:30"\ntba = ["resources"]')


def test_the_committed_ledger_is_the_seed_published_on_the_first_of_september(
    seed: Catalogue, seed_ledger: Ledger
) -> None:
    assert not pending_lines(seed, seed_ledger, NOON)
    assert {line.at for line in seed_ledger.lines} == {datetime(2022, 9, 1, 10, tzinfo=UTC)}
    assert all(line.kind is LineKind.ANNOUNCED for line in seed_ledger.lines)


def test_publishing_unchanged_facts_adds_nothing(seed: Catalogue) -> None:
    assert len(published(seed, seed).lines) == 5


def test_uids_are_made_of_event_series_and_host_and_outlive_a_new_address(seed_text: str, seed: Catalogue) -> None:
    moved_house = catalogue(seed_text, ("digitize.example/", "elsewhere.example/"), MOVE)
    ledger = published(seed, moved_house)
    assert ledger.revision("non-take-up").uid == "non-take-up@digitize-and-conquer.digitize.example"


@pytest.mark.parametrize(
    ("change", "event", "kind", "sequence"),
    [
        (MOVE, "non-take-up", LineKind.CHANGED, 1),
        (CANCEL, "non-take-up", LineKind.CANCELLED, 1),
        (EDIT, "non-take-up", LineKind.EDITED, 0),
        (TIME_KNOWN, "welfare-control", LineKind.CHANGED, 1),
        (("number = 2", 'number = 2\nnotice = "Bring a friend."'), "social-work", LineKind.CHANGED, 0),
        (("number = 2", 'number = 2\nrecordings = ["https://v.example/1"]'), "social-work", LineKind.RECORDING, 0),
        (("number = 2", 'number = 2\nonline = "https://live.example/"'), "social-work", LineKind.CHANGED, 1),
    ],
)  # fmt: skip
def test_scheduling_facts_and_editorial_facts_are_told_apart(
    seed_text: str, seed: Catalogue, change: tuple[str, str], event: str, kind: LineKind, sequence: int
) -> None:
    ledger = published(seed, catalogue(seed_text, change))
    assert [line.kind for line in ledger.of(event)] == [LineKind.ANNOUNCED, kind]
    assert len(ledger.lines) == 6
    revision = ledger.revision(event)
    assert (revision.sequence, revision.created, revision.updated) == (sequence, NOON, NOON + HOUR)


def test_a_room_that_moves_reschedules_and_better_directions_do_not(seed_text: str, seed: Catalogue) -> None:
    other_street = catalogue(seed_text, ("59, rue de la Fontaine au Roi", "60, rue de la Fontaine au Roi"))
    directions = catalogue(seed_text, ('country = "FR"', 'country = "FR"\ndirections = "Second door."'))
    assert published(seed, other_street).revision("non-take-up").sequence == 1
    assert published(seed, directions).revision("non-take-up").sequence == 0


def test_what_was_published_with_a_code_that_is_no_country_s_stays_readable(seed: Catalogue) -> None:
    line = next(line for line in published(seed).lines if "venue" in line.facts)
    facts = {**line.facts, "venue": {**line.facts["venue"], "country": "UK"}}
    _, venue = journal.event_of(facts)
    assert getattr(venue, "country", None) == "UK"


def test_todo_is_no_public_fact(seed_text: str, seed: Catalogue) -> None:
    assert (
        len(published(seed, catalogue(seed_text, ("The page prints no year", "The page prints no year!"))).lines) == 5
    )
    assert "todo" not in journal.write(published(seed))


def test_cancelled_and_reinstated(seed_text: str, seed: Catalogue) -> None:
    ledger = published(seed, catalogue(seed_text, CANCEL), seed)
    kinds = [line.kind for line in ledger.of("non-take-up")]
    assert kinds == [LineKind.ANNOUNCED, LineKind.CANCELLED, LineKind.REINSTATED]
    assert ledger.revision("non-take-up").sequence == 2


def test_written_and_read_back_it_is_the_same(seed_text: str, seed: Catalogue) -> None:
    ledger = published(seed, catalogue(seed_text, MOVE, EDIT), seed)
    assert journal.read(journal.write(ledger)) == ledger


def test_both_sides_of_a_merge_may_stay_in_any_order(seed_text: str, seed: Catalogue) -> None:
    one = published(seed, catalogue(seed_text, MOVE))
    other = published(seed, catalogue(seed_text, CANCEL), apart=2 * HOUR)
    lines = (journal.write(one) + journal.write(other)).splitlines(keepends=True)
    merged = journal.read("".join(lines))
    assert journal.read("".join(reversed(lines))) == merged
    assert len(merged.of("non-take-up")) == 3
    assert merged.revision("non-take-up").sequence >= max(
        one.revision("non-take-up").sequence, other.revision("non-take-up").sequence
    )


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text[:-20], "this last line is cut off"),
        (lambda text: text[:-1], "this last line is cut off"),
        (lambda text: text.replace('"at":', '"at";', 1), "can't be read from column 6 on"),
        (lambda text: "<<<<<<< HEAD\n" + text, "merge conflict"),
        (lambda text: text + "[]\n", "not one of a ledger"),
        (lambda text: text.replace("2022-09-01T12:00:00Z", "yesterday", 1), "not one of a ledger"),
    ],
)
def test_a_spoilt_ledger_is_found_with_its_line(seed: Catalogue, spoil, said: str) -> None:
    with pytest.raises(LedgerError) as caught:
        journal.read(spoil(journal.write(published(seed))))
    assert said in str(caught.value)
    assert caught.value.problems[0].line > 0


def test_a_published_event_that_vanishes_is_an_error_with_two_ways_out(seed_text: str, seed: Catalogue) -> None:
    ledger = published(seed)
    short = replace_events(seed, without="social-work")
    [problem] = journal.vanished_problems(short, ledger, "events.toml")
    assert "tocsin retire social-work" in str(problem)
    assert 'status = "cancelled"' in str(problem)
    retired = ledger.extended([journal.retirement(short, ledger, "social-work", NOON + HOUR)])
    assert not journal.vanished_problems(short, retired, "events.toml")
    [listing] = [one for one in Edition(short, retired, date(2022, 10, 1)).listings if one.retired]
    assert (listing.event.id, listing.cancelled, listing.revision.sequence) == ("social-work", True, 1)


def replace_events(seed: Catalogue, without: str) -> Catalogue:
    return seed.altered(events=tuple(e for e in seed.events if e.id != without))


# ---------------------------------------------------------------------------------------------- news


def edition(current: Catalogue, ledger: Ledger) -> Edition:
    return Edition(current, ledger, date(2022, 10, 1))


def test_each_event_is_announced_once_the_first_conference_on_top(seed_edition: Edition) -> None:
    assert [item.kind for item in seed_edition.news] == [LineKind.ANNOUNCED] * 5
    assert [item.event.number for item in seed_edition.news] == [1, 2, 3, 4, 5]


def test_changes_within_settle_are_one_entry_with_the_net_result(seed_text: str, seed: Catalogue) -> None:
    moved, back = catalogue(seed_text, MOVE), catalogue(seed_text, MOVE, ("19:00", "20:00"))
    ledger = published(seed, moved)
    ledger = ledger.extended(pending_lines(back, ledger, NOON + HOUR + timedelta(minutes=9)))
    [item] = [item for item in edition(back, ledger).news if item.kind is LineKind.CHANGED]
    assert item.before is not None
    assert (item.before.date, item.event.date) == (date(2022, 10, 25), date(2022, 10, 27))
    assert {"date", "time"} <= item.changed
    assert (item.published, item.last) == (NOON + HOUR, NOON + HOUR + timedelta(minutes=9))


def test_a_change_undone_within_settle_is_no_news(seed_text: str, seed: Catalogue) -> None:
    ledger = published(seed, catalogue(seed_text, MOVE))
    ledger = ledger.extended(pending_lines(seed, ledger, NOON + HOUR + timedelta(minutes=9)))
    assert [item.kind for item in edition(seed, ledger).news] == [LineKind.ANNOUNCED] * 5


def test_an_editorial_change_is_no_news(seed_text: str, seed: Catalogue) -> None:
    edited = catalogue(seed_text, EDIT)
    assert len(edition(edited, published(seed, edited)).news) == 5


def test_an_edit_is_judged_by_the_line_before_it_and_not_by_its_own_word(seed_text: str, seed: Catalogue) -> None:
    edited = published(seed, catalogue(seed_text, EDIT))
    announced, last = edited.of("non-take-up")
    assert (edited.is_edit(announced), edited.is_edit(last)) == (False, True)
    # Somebody else moved the event meanwhile, and both sides of a merge were kept: the edit now moves it back.
    moved = published(seed, catalogue(seed_text, MOVE), apart=HOUR / 2).of("non-take-up")[-1]
    merged = Ledger.holding((*edited.lines, moved))
    assert merged.of("non-take-up")[1:] == (moved, last)
    assert last.kind is LineKind.EDITED
    assert not merged.is_edit(last)


def test_only_an_edit_that_comes_too_late_for_a_piece_of_news_leaves_the_news_alone(
    seed_text: str, seed: Catalogue
) -> None:
    def told(*editions: Catalogue, apart: timedelta = HOUR) -> str:
        return keys(edition(editions[-1], published(*editions, apart=apart))).told(100)

    edited, minutes = catalogue(seed_text, EDIT), timedelta(minutes=9)
    assert told(seed, edited) == told(seed)
    assert told(seed, edited, apart=minutes) != told(seed)
    assert told(seed, edited, catalogue(seed_text, MOVE)) != told(seed, catalogue(seed_text, MOVE))
    # In the second of another line it takes a part of that second.
    assert told(seed, catalogue(seed_text, EDIT, CANCEL)) != told(seed, catalogue(seed_text, CANCEL))


def test_an_old_announcement_tells_of_the_cancellation_and_only_it_is_updated(seed_text: str, seed: Catalogue) -> None:
    cancelled = catalogue(seed_text, CANCEL)
    news = edition(cancelled, published(seed, cancelled)).news
    first = next(item for item in news if item.kind is LineKind.ANNOUNCED and item.event.id == "non-take-up")
    assert (first.cancelled_later, first.updated, first.published) == (NOON + HOUR, NOON + HOUR, NOON)
    assert all(item.updated == item.published for item in news if item is not first)
    back = edition(seed, published(seed, cancelled, seed))
    assert all(item.cancelled_later is None for item in back.news if item.kind is LineKind.ANNOUNCED)
    # Its entry changes again, and a reader that compares instants takes the warning off only if this one is later.
    again = next(item for item in back.news if item.id == first.id)
    assert (again.updated, again.published) == (NOON + 2 * HOUR, NOON)
    moved = edition(seed, published(seed, cancelled, seed, catalogue(seed_text, MOVE)))
    assert next(item for item in moved.news if item.id == first.id) == again


def test_ids_of_news_are_unique_and_permanent(seed_text: str, seed: Catalogue) -> None:
    moved = catalogue(seed_text, MOVE)
    before = {item.id for item in edition(seed, published(seed)).news}
    after = [item.id for item in edition(moved, published(seed, moved)).news]
    assert before < set(after)
    assert len(set(after)) == len(after) == 6
    assert all(name.startswith("tag:digitize.example,2022-09-01:digitize-and-conquer:") for name in after)


def test_an_edition_as_of_an_earlier_instant_is_the_one_published_then(seed_text: str, seed: Catalogue) -> None:
    moved = catalogue(seed_text, MOVE)
    now = edition(moved, published(seed, moved))
    then = as_of(now, NOON + timedelta(minutes=1))
    assert then.catalogue.event_by_id["non-take-up"].date == date(2022, 10, 25)
    assert then.ledger == published(seed)
    assert as_of(now, NOON + 2 * HOUR).catalogue.events == tuple(replace_todo(event) for event in moved.events)
    assert not as_of(now, NOON - HOUR).listings


def replace_todo(event):
    """An event as the ledger keeps it: without the organisers' questions and the weekday guard."""
    return journal.event_of(journal.facts_of(event, None))[0]


def test_two_lines_within_a_second_keep_their_order(seed_text: str, seed: Catalogue) -> None:
    ledger = published(seed, catalogue(seed_text, MOVE), catalogue(seed_text, CANCEL), apart=timedelta(0))
    assert [line.kind for line in ledger.of("non-take-up")][-1] is LineKind.CANCELLED
    assert replace(ledger) == journal.read(journal.write(ledger))


def test_lines_are_added_in_their_order_wherever_they_belong(seed_text: str, seed: Catalogue) -> None:
    later = catalogue(seed_text, ('title.en = "The consequences', 'title.en = "What follows'))
    whole = published(seed, later)
    assert len(whole.lines) > len(seed.events)
    for place in range(len(whole.lines) + 1):
        first, last = whole.lines[:place], whole.lines[place:]
        for ledger in (Ledger.holding(first).extended(last), Ledger.holding(last).extended(first)):
            assert ledger.lines == whole.lines
            assert list(ledger.by_event.items()) == list(Ledger.holding(whole.lines).by_event.items())
