"""Newsletters and digests in the plan: when, what they tell, and what is left out with its reason."""

from datetime import UTC, datetime, timedelta

from publishing import HEAD, TALK, edition

from pipeline.reminders.newsletters import newsletter_digest, newsletter_of
from pipeline.reminders.occasions import Audience, Kind, Occasion, Plan
from pipeline.reminders.plan import plan

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
MARCH = '[[newsletter]]\nid = "march"\nsend = 2026-02-01T06:00:00\nsubject = "March"\n'
APRIL = '[[newsletter]]\nid = "april"\nsend = 2026-04-01T06:00:00\nsubject = "April"\n'


def planned(*versions: str, head: str = HEAD) -> Plan:
    return plan(edition(*versions, head=head), SINCE)


def letters(found: Plan) -> dict[str, Occasion]:
    return {occasion.rule: occasion for occasion in found.occasions if occasion.kind is Kind.NEWSLETTERS}


def test_it_leaves_at_the_hour_that_the_organiser_wrote_quiet_or_not_in_the_zone_of_the_series() -> None:
    found = letters(planned(TALK + MARCH + APRIL))
    assert found["newsletter.march"].due == datetime(2026, 2, 1, 5, tzinfo=UTC)
    assert found["newsletter.april"].due == datetime(2026, 4, 1, 4, tzinfo=UTC)  # in summer time
    assert found["newsletter.march"].key == "/newsletter.march/0"


def test_a_reminder_of_the_same_name_is_another_mailing() -> None:
    digest = '[[reminder]]\nid = "march"\nwhen = "monthly on day 1 at 10:00"\ntemplate = "digest"\n'
    found = planned(TALK + MARCH + digest)
    rules = {occasion.rule for occasion in found.occasions if not occasion.event}
    assert rules == {"march", "newsletter.march"}
    current = edition(TALK + MARCH + digest)
    assert [newsletter_of(current, occasion) is not None for occasion in found.occasions if not occasion.event].count(
        True
    ) == 1


def test_a_newsletter_with_nothing_to_say_is_left_out_with_its_reason() -> None:
    only_recordings = MARCH + 'include = ["recordings"]\n'
    found = planned(TALK + only_recordings)
    assert letters(found) == {}
    assert "nothing to say" in {omission.rule: omission.reason for omission in found.omissions}["newsletter.march"]
    assert "newsletter.march" in letters(planned(TALK + only_recordings + 'text = "Hello."\n'))


def test_a_correction_names_the_wrong_one_and_tells_the_same_news_again() -> None:
    again = APRIL + 'corrects = "march"\n'
    current = edition(TALK + MARCH + again)
    march, april = current.catalogue.newsletters
    assert newsletter_digest(current, march).news == newsletter_digest(current, april).news != ()
    found = letters(plan(current, SINCE))["newsletter.april"]
    assert (found.audience, found.corrects) == (Audience.CORRECTED, "/newsletter.march/0")


def test_the_next_newsletter_tells_only_what_is_new_since_the_last_one() -> None:
    current = edition(TALK + MARCH + APRIL)
    march, april = current.catalogue.newsletters
    assert len(newsletter_digest(current, march).news) == 1
    assert newsletter_digest(current, april).news == ()


def test_with_a_proof_what_would_leave_at_once_waits_for_the_organiser() -> None:
    proof = HEAD + '[mail]\nproof = { to = "ana@talks.example", before = "3h" }\n'

    def announced(head: str) -> datetime:
        return next(occasion.due for occasion in planned(TALK, head=head).occasions if occasion.rule == "announced")

    assert announced(proof) - announced(HEAD) == timedelta(hours=3)
