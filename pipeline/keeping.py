"""What a refused group's file leaves standing: the events of its group, as the ledger has them last."""

from collections.abc import Iterator, Sequence

from pipeline.catalogue.models import Catalogue
from pipeline.catalogue.refused import Keep, Kept, Refused
from pipeline.ledger import Ledger, Line, LineKind, event_of, group_of


def last_published(ledger: Ledger) -> Keep:
    """What was last published of groups whose files are refused, by their ids.

    Where a file doesn't tell its group's id, or tells one that was never published or is another file's, that may be
    the slip: every group is kept that no other file claims, so that nothing vanishes because of it.
    """

    def keep(refused: Sequence[Refused], others: Catalogue) -> Kept:
        lines = tuple(_lines_kept(ledger, refused, others))
        published = [event_of(line.facts) for line in lines]
        groups = {group.id: group for line in lines if (group := group_of(line.facts)) is not None}
        venues = {venue.id: venue for _, venue in published if venue is not None}
        return Kept(
            tuple(group for name, group in groups.items() if name not in others.group_by_id),
            tuple(event for event, _ in published),
            tuple(venue for name, venue in venues.items() if name not in others.venue_by_id),
        )

    return keep


def _lines_kept(ledger: Ledger, refused: Sequence[Refused], others: Catalogue) -> Iterator[Line]:
    named = {one.group for one in refused}
    published = [ledger.of(event)[-1] for event in ledger.events]
    # One that the ledger knows nothing of, or that another file has, may be any of those that have no file now.
    any_may_be_meant = not named <= {line.facts.get("group") for line in published} - {None, *others.group_by_id}
    for last in published:
        event, group = last.event, last.facts.get("group")
        of_one_refused = group in named or (any_may_be_meant and group not in others.group_by_id)
        stands = last.kind is not LineKind.RETIRED and event not in others.event_by_id
        if group is not None and of_one_refused and stands:
            yield last
