"""Two planners at once on PostgreSQL: what one of them has given to its recipients the other doesn't take back."""

import threading
from datetime import timedelta

from patience import PATIENCE
from sqlalchemy import select
from test_expansion_and_forgetting import NOW, SERIES, give, postgresql_of_two, until_it_waits

from pipeline.reminders.occasions import Kind, Occasion, Plan
from pipeline.store.addressees import Addressee, addressees, keep_addressees
from pipeline.store.campaigns import reconcile
from pipeline.store.database import Database
from pipeline.store.subscribers import ALL_KINDS
from pipeline.store.tables import Progress, Role, campaigns

__all__ = ["postgresql_of_two"]


def test_a_campaign_that_is_given_out_meanwhile_is_not_planned_anew(postgresql_of_two: Database) -> None:
    database = postgresql_of_two
    later = Occasion("talk", "day-before", 0, Kind.REMINDERS, NOW + timedelta(hours=9), NOW + timedelta(days=2))
    with database.begin() as connection:
        assert give(connection) == 2
        other = threading.Thread(
            target=database.run, args=(lambda planning: reconcile(planning, SERIES, Plan((later,), ()), NOW),)
        )
        other.start()
        until_it_waits(database)
    other.join(PATIENCE)
    with database.look() as connection:
        assert connection.execute(select(campaigns.c.state, campaigns.c.due)).all() == [(Progress.EXPANDED, NOW)]


def test_a_list_that_two_planners_learn_of_at_once_is_one_addressee(postgresql_of_two: Database) -> None:
    database = postgresql_of_two
    talks = Addressee(Role.LIST, "talks@lists.example.org", "list:en", ALL_KINDS)
    with database.begin() as connection:
        keep_addressees(connection, SERIES, [talks], NOW)
        other = threading.Thread(
            target=database.run, args=(lambda planning: keep_addressees(planning, SERIES, [talks], NOW),)
        )
        other.start()
        until_it_waits(database)
    other.join(PATIENCE)
    with database.look() as connection:
        assert len(addressees(connection, SERIES, Role.LIST)) == 1
