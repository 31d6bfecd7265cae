"""The instants of feed entries: no two of one publication are the same."""

import hashlib
from datetime import datetime

from pipeline.catalogue.when import first_day
from pipeline.edition import News


def told_apart(moment: datetime, news: News) -> datetime:
    """The instant with a fraction of a second by which entries of one publication differ, the nearest event latest.

    Readers that sort by `updated` would shuffle what was published in the same second, and validators warn of it.
    """
    first = first_day(news.event.when)
    days = 998 if first is None else min(998, max(0, (first - moment.date()).days))
    digest = int.from_bytes(hashlib.blake2b(news.id.encode(), digest_size=4).digest()) % 1000
    return moment.replace(microsecond=(999 - days) * 1000 + digest)
