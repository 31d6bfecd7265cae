"""tocsin: one catalogue of events in, calendars, feeds, pages and reminder mails out."""
