"""The numbers and the health that the service tells to machines."""

from ipaddress import ip_network
from pathlib import Path

import pytest
from publishing import HEAD, TALK, edition
from visiting import MAILING, Visited, joined, subscribed


class TestWatching:
    def test_numbers_are_for_machines_that_may_see_them(self, tmp_path: Path) -> None:
        parser = pytest.importorskip("prometheus_client.parser")
        visit = Visited(edition(TALK, head=HEAD + MAILING), tmp_path, watchers=(ip_network("10.0.0.0/8"),))
        subscribed(visit)
        joined(visit, "new@reader.example")
        assert visit.get("/metrics", machine="203.0.113.9").status_code == 404
        text = visit.get("/metrics", machine="10.1.2.3").text
        assert visit.get("/metrics", machine="127.0.0.1").text == text
        samples = [sample for family in parser.text_string_to_metric_families(text) for sample in family.samples]
        found = {(sample.name, sample.labels.get("state")): sample.value for sample in samples}
        assert found == {
            ("tocsin_subscribers", "active"): 1.0, ("tocsin_subscribers", "pending"): 1.0,
            ("tocsin_mails", "pending"): 1.0,
        }  # fmt: skip
        visit.database.close()

    @pytest.mark.parametrize(("age", "status"), [(1.0, 200), (179.0, 200), (181.0, 503), (None, 503)])
    def test_a_silent_ticker_makes_the_service_ill(self, tmp_path: Path, age: float | None, status: int) -> None:
        visit = Visited(edition(TALK, head=HEAD + MAILING), tmp_path, age=lambda: age)
        assert visit.get("/healthz").status_code == status
        visit.database.close()
