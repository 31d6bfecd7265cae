"""tocsin: one catalogue of events in, calendars, feeds, pages and reminder mails out."""

import zoneinfo

# The zones of the pinned `tzdata` package and not the system's: the same input gives the same bytes on any machine.
zoneinfo.reset_tzpath(to=())
