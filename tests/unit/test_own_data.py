"""What is kept of a person: they see all of it and change it, and each of it has a name that people read."""

import html
import io

import pytest
from babel.messages.pofile import read_po
from checkout import ROOT
from jinja2.ext import babel_extract
from sqlalchemy import Table
from visiting import ADA, Visited, joined, subscribed, visit

from pipeline.actions.joining import CONSENT_TEXT, EVENT_CONSENT_TEXT, preferences_token
from pipeline.actions.personal_data import KEPT
from pipeline.language import words
from pipeline.reminders.occasions import Kind
from pipeline.store.subscribers import ALL_KINDS
from pipeline.store.tables import METADATA

__all__ = ["visit"]

REMINDERS = ("two-weeks-before", "two-days-before", "morning")


def _tells_of_a_person(table: Table) -> bool:
    return "subscriber_id" in table.columns


class TestChoosing:
    def path(self, visit: Visited) -> str:
        return f"/preferences/{preferences_token(subscribed(visit), visit.secret)}"

    def test_the_choices_are_shown_and_stored(self, visit: Visited) -> None:
        path = self.path(visit)
        shown = visit.get(path)
        assert shown.text.count(" checked") == len(ALL_KINDS) + len(REMINDERS) + len(("language", "scope"))
        stored = visit.post(path, {"kinds": ["changes", "reminders"], "tags": ["law", "nothing"], "language": "fr"})
        who = visit.subscriber(ADA)
        assert who is not None
        assert (who.language, who.kinds, who.tags) == ("fr", {Kind.CHANGES, Kind.REMINDERS}, {"law"})
        assert '<html lang="fr"' in stored.text

    def test_no_kind_at_all_changes_nothing_and_says_how_to_leave(self, visit: Visited) -> None:
        path = self.path(visit)
        before = visit.subscriber(ADA)
        assert visit.post(path, {"language": "fr", "kinds": "nonsense"}).status_code == 400
        assert visit.subscriber(ADA) == before

    def test_my_data_is_a_file_with_all_that_is_kept(self, visit: Visited) -> None:
        joined(visit)
        visit.post(visit.link("confirm"))
        who = visit.subscriber(ADA)
        assert who is not None
        answer = visit.get(f"/preferences/{preferences_token(who.public_id, visit.secret)}/data.json")
        assert answer.headers["Content-Disposition"].startswith("attachment")
        kept = answer.json()
        assert (kept["address"], kept["state"], kept["consent"]) == (ADA, "active", who.consent)
        assert [mail["subject"] for mail in kept["mails"]] == ["Please confirm: Evening talks; tea, cake"]
        assert list(kept) == list(KEPT)
        for language in ("en", "fr"):
            page = html.unescape(visit.get(f"/privacy?lang={language}").text)
            say = words(language)
            assert [name for name in kept if f"<code>{name}</code>" not in page] == []
            assert [each for each in KEPT.values() if say(each.name) not in page or say(each.meaning) not in page] == []

    def test_whatever_a_table_holds_of_a_person_has_a_name_for_people(self) -> None:
        named = {column for each in KEPT.values() for column in each.columns}
        persons = {"subscribers", *(table.name for table in METADATA.sorted_tables if _tells_of_a_person(table))}
        assert persons == {"subscribers", "subscriber_tags", "choices", "deliveries", "attempts"}
        columns = {
            f"{table.name}.{column.name}"
            for table in METADATA.sorted_tables
            if table.name in persons
            for column in table.columns
            if column.name not in {"id", "subscriber_id", "campaign_id"}  # they only join the rows
        }
        assert columns == named
        # What a table without a person holds is programme, letters for all, and fingerprints, of which the page tells.
        others = {table.name for table in METADATA.sorted_tables} - persons
        assert others == {"meta", "editions", "edition_parts", "campaigns", "letters", "forgotten", "reports", "limits"}

    def test_erasing_asks_first_and_then_leaves_a_hash_alone(self, visit: Visited) -> None:
        path = self.path(visit)
        assert visit.get(f"{path}/erase").status_code == 200
        assert visit.subscriber(ADA) is not None
        assert visit.post(f"{path}/erase").status_code == 200
        assert visit.subscriber(ADA) is None
        assert visit.get(path).status_code == 404
        with pytest.raises(Exception, match="forgotten"):
            subscribed(visit)


class TestWords:
    def test_every_word_of_the_service_has_a_french_one(self) -> None:
        french = {
            message.id: message.string
            for fragment in (ROOT / "pipeline/locale/fr/LC_MESSAGES").glob("*.po")
            for message in read_po(io.BytesIO(fragment.read_bytes()))
        }
        templates = [*(ROOT / "templates/service").glob("*.html"), *(ROOT / "templates/mail").glob("confirm.*")]
        names = [name for each in KEPT.values() for name in (each.name, each.meaning)]
        found_words = [CONSENT_TEXT, EVENT_CONSENT_TEXT, *names]
        for template in templates:
            with template.open("rb") as file:
                found = babel_extract(file, ("_", "gettext"), [], {"trim_blocks": "true", "lstrip_blocks": "true"})
                found_words += [message if isinstance(message, str) else message[0] for _, _, message, _ in found]
        assert len(found_words) > 100
        assert [word for word in found_words if not french.get(word)] == []
