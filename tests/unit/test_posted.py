"""What is due to mailing lists where nothing but a journal is kept."""

from datetime import UTC, datetime, timedelta

from publishing import FIRST, HEAD, TALK, edition

from pipeline.reminders.posted import Journal, begun, due_posts

MAIL = '[mail]\nfrom = "Talks <talks@talks.example>"\nlists = [{ address = "all@lists.example", language = "en" }]\n'
ANNOUNCED = MAIL.replace('"en" }', '"en", kinds = ["announcements"] }')
RULES = (
    '[[reminder]]\nid = "early"\nwhen = "2 days before at 10:00"\n'
    '[[reminder]]\nid = "asked"\nwhen = "47 hours before"\nlabel = "47 hours before"\ndefault = false\n'
)
NEWS = '[[reminder]]\nid = "new"\nwhen = "when announced"\n[[reminder]]\nid = "news"\nwhen = "when changed"\n'


def test_a_reminder_for_those_who_ask_is_posted_to_no_list_and_takes_no_other_one_s_place() -> None:
    both_are_due = datetime(2026, 10, 18, 18, 10, tzinfo=UTC)
    found = due_posts(edition(TALK + RULES, head=HEAD + MAIL), Journal(), both_are_due)
    assert [post.occasion.rule for post in found] == ["early"]


def test_a_list_whose_announcement_may_have_arrived_hears_of_the_change() -> None:
    first = edition(TALK + NEWS, head=HEAD + ANNOUNCED)
    [post] = due_posts(first, Journal(), FIRST)
    killed = Journal((begun(first, post, "killed", FIRST),))
    moved = edition(TALK + NEWS, TALK.replace("19:00", "20:00") + NEWS, head=HEAD + ANNOUNCED)
    [news] = due_posts(moved, killed, FIRST + timedelta(days=1, hours=1))
    assert news.occasion.rule == "news"
