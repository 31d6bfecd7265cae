"""What letters say: of what is moved, off, over, secret or new."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from letter_writing import (
    ANA,
    CANCEL,
    CANCELLED,
    MORNING,
    MOVED,
    POSTPONED,
    RECORDED,
    REMINDER,
    SECRET,
    TIMED,
    TITLE,
    WITH_SECRET,
    Edit,
    added,
    html_of,
    occasion,
    parsed,
    published,
    read_html,
    replaced,
    text_of,
    write,
)

from pipeline.catalogue.models import Newsletter, Rule
from pipeline.errors import PermanentDeliveryError, SettingsError, TemplateError
from pipeline.letters import finish
from pipeline.letters.composing import compose
from pipeline.letters.posting import post_of
from pipeline.reminders.occasions import Kind
from pipeline.rendering import Renderer

# ------------------------------------------------------------------------------------------- what it tells


def test_a_moved_event_tells_before_and_after(seed_text: str) -> None:
    message = write(published(seed_text, MOVED), occasion("non-take-up", Kind.CHANGES, 1))
    assert message["Subject"] == f"Moved to Thu 27 Oct, 20:00: {TITLE}"
    assert "before: Tuesday 25 October 2022, 19:00" in text_of(message)
    assert "now: Thursday 27 October 2022, 20:00" in text_of(message)


def test_a_notice_tells_the_news_which_it_is_named_after(seed_text: str) -> None:
    edition = published(seed_text, MOVED, replaced(("on Tuesday.", "on Tuesday, and the lift is out of order.")))
    newest = edition.news[0]
    about = occasion("non-take-up", Kind.CHANGES, 1, occurrence=newest.id.rpartition(":")[2])
    message = write(edition, about)
    assert message["Subject"].startswith("Please note: ")
    assert "the lift is out of order" in text_of(message)
    assert "before:" not in text_of(message)


def test_an_hour_that_became_known_is_told(seed_text: str) -> None:
    message = write(published(seed_text, TIMED), occasion("welfare-control", Kind.CHANGES, 1))
    assert message["Subject"].startswith("Time announced: Thu 19 Jan 2023, 18:30")
    assert "When: Thursday 19 January 2023, 18:30" in text_of(message)


@pytest.mark.parametrize("kind", [Kind.CHANGES, Kind.REMINDERS, Kind.ANNOUNCEMENTS, Kind.FOLLOW_UPS])
@pytest.mark.parametrize(("edit", "word"), [(CANCELLED, "Cancelled"), (POSTPONED, "Postponed")])
def test_an_event_that_is_off_says_so_first_whatever_the_mail(
    seed_text: str, kind: Kind, edit: Edit, word: str
) -> None:
    rule = Rule.model_validate(
        {"id": "r", "when": "when changed", "template": "reminder", "subject": {"en": "See you at {title}"}}
    )
    message = write(published(seed_text, edit), occasion("non-take-up", kind, 1), rule, calendar=CANCEL)
    assert message["Subject"].startswith(f"{word}: ")
    assert text_of(message).startswith(f"{word}\n")
    assert "does not take place" in text_of(message)
    assert "Was planned for: Tuesday 25 October 2022, 19:00" in text_of(message)
    assert "Sign up" not in text_of(message) + html_of(message)


def test_a_follow_up_leads_to_the_recordings(seed_text: str) -> None:
    about = occasion("non-take-up", Kind.FOLLOW_UPS, due=datetime(2022, 11, 3, 17, tzinfo=UTC))
    message = write(published(seed_text, RECORDED), about)
    assert message["Subject"].startswith("Recording: Tue 25 Oct 2022")
    assert "– The whole evening\n  https://video.example/1" in text_of(message)
    assert "https://video.example/1" in read_html(html_of(message))[1]
    assert "Sign up" not in text_of(message)


def test_an_occurrence_of_a_recurring_event_is_told_with_its_own_date(seed_text: str) -> None:
    weekly = added("non-take-up", 'repeats = "FREQ=WEEKLY;COUNT=4"\nmoved = [{ from = 2022-11-08, date = 2022-11-09 }]')
    edition = published(weekly(seed_text))
    message = write(edition, occasion("non-take-up", occurrence="2022-11-01"))
    assert message["Subject"].startswith("Reminder: Tue 1 Nov 2022, 19:00")
    assert "25 October" not in text_of(message) + html_of(message)
    assert "Wednesday 9 November 2022, 19:00" in text_of(
        write(edition, occasion("non-take-up", occurrence="2022-11-08"))
    )
    with pytest.raises(PermanentDeliveryError):
        write(edition, occasion("non-take-up", occurrence="2022-11-02"))


def test_the_organisers_subject_is_filled_in(seed_text: str) -> None:
    rule = Rule.model_validate(
        {
            "id": "r",
            "when": "2 days before",
            "subject": {"en": "{date} at {time}: {title} ({series}) {other} {title.x}"},
        }
    )
    subject = write(published(seed_text), occasion("non-take-up"), rule)["Subject"]
    assert subject == (
        f"Tue 25 Oct 2022 at 19:00: {TITLE} "
        "(Digitize and conquer – Public services facing digitization) {other} {title.x}"
    )


def test_a_template_of_the_rules_own_is_used_and_a_missing_one_is_named(seed_text: str, tmp_path: Path) -> None:
    edition = published(seed_text)
    post = post_of(edition.catalogue, SECRET)
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "short.txt").write_text("Come to {{ event.title.text }} on {{ event.date }}.", "utf-8")
    (tmp_path / "mail" / "short.html").write_text("<p>Come to {{ event.title.text }} on {{ event.date }}.", "utf-8")
    rule = REMINDER.model_copy(update={"template": "short"})
    renderer = Renderer([tmp_path])
    letter = compose(edition, occasion("non-take-up"), rule, "en", post, renderer, MORNING)
    message = parsed(finish(letter, ANA, "k", MORNING, post).body)
    assert text_of(message).startswith("Come to The consequences")
    with pytest.raises(TemplateError, match=r"mail/none\.txt"):
        compose(
            edition, occasion("non-take-up"), REMINDER.model_copy(update={"template": "none"}), "en", post, renderer,
            MORNING,
        )  # fmt: skip


# ------------------------------------------------------------------------------------------ secret links


def test_a_secret_link_stands_in_letters_to_subscribers_and_not_on_lists(seed_text: str) -> None:
    edition = published(WITH_SECRET(seed_text))
    secrets = {"TOCSIN_ROOM": "https://visio.example/room?a=1&b=2"}
    message = write(edition, occasion("non-take-up"), secrets=secrets)
    assert "Online: Video room\nhttps://visio.example/room?a=1&b=2" in text_of(message)
    assert "https://visio.example/room?a=1&b=2" in read_html(html_of(message))[1]
    assert "Europe/Paris" in text_of(message)
    to_list = post_of(edition.catalogue, SECRET).to_mailing_list()
    message = write(edition, occasion("non-take-up"), secrets=secrets, post=to_list)
    assert "visio.example" not in text_of(message) + html_of(message)


def test_a_reminder_does_not_leave_without_its_secret_link(seed_text: str) -> None:
    edition = published(WITH_SECRET(seed_text))
    with pytest.raises(SettingsError, match="TOCSIN_ROOM"):
        write(edition, occasion("non-take-up"))
    announced = write(edition, occasion("non-take-up", Kind.ANNOUNCEMENTS))
    assert "Online: the link is mailed to subscribers before the event" in text_of(announced)
    with pytest.raises(SettingsError, match="not a web address"):
        write(edition, occasion("non-take-up"), secrets={"TOCSIN_ROOM": "javascript:alert(1)"})


# ------------------------------------------------------------------------------------------ digests


def test_a_digest_tells_news_dates_and_recordings(seed_text: str) -> None:
    rule = Rule(id="monthly", when="monthly on day 2 at 10:00", template="digest")
    due = datetime(2022, 11, 2, 9, tzinfo=UTC)
    message = write(
        published(seed_text, MOVED, RECORDED), occasion("", Kind.NEWSLETTERS, due=due, occurrence="2022-11-02"), rule
    )
    text = text_of(message)
    assert message["Subject"] == (
        "Digitize and conquer – Public services facing digitization: News and dates, Wed 2 Nov 2022"
    )
    assert f"– {TITLE}\n  The whole evening: https://video.example/1" in text
    assert "– Thu 24 Nov 2022, 19:00 · The consequences of digitization for social work" in " ".join(text.split())
    assert "https://digitize.example/events/social-work/" in text
    assert "https://digitize.example/events/social-work/" in read_html(html_of(message))[1]


def test_a_newsletter_carries_the_organisers_words(seed_text: str) -> None:
    newsletter = Newsletter.model_validate(
        {
            "id": "autumn", "send": datetime(2022, 10, 2, 10), "subject": "Autumn",
            "text": "Hello **all**, <b>see</b> the [site](/x).", "include": ["upcoming"],
        },
        context={"default_language": "en"},
    )  # fmt: skip
    message = write(published(seed_text), occasion("", Kind.NEWSLETTERS), newsletter)
    assert message["Subject"] == "Autumn"
    assert "Hello all, <b>see</b> the site" in text_of(message)
    assert "<strong>all</strong>" in html_of(message)
    assert "&lt;b&gt;see" in html_of(message)
    assert "Coming up" in text_of(message)
    assert "\nNew\n" not in text_of(message)
