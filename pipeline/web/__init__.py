"""The web endpoints that mails and the site point to. GET shows, only POST changes: scanners do no harm.

No page has a script, a cookie or anything from elsewhere, and none needs them.
"""

from pipeline.web.service import Service, application

__all__ = ["Service", "application"]
