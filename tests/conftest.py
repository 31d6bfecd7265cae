"""What many tests need: the real series, its ledger, and the rule that in CI no test is skipped for a missing part."""

import os
from datetime import UTC, date, datetime

import pytest
from checkout import ROOT
from hypothesis import HealthCheck, settings

from pipeline import ledger as journal
from pipeline.catalogue.load import Source, load
from pipeline.catalogue.models import Catalogue
from pipeline.edition import Edition
from pipeline.ledger import Ledger
from pipeline.rendering import Renderer

# A loaded machine is no mistake: nothing is judged by how long it took. What CI finds it finds again on any machine.
settings.register_profile(
    "tocsin", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True,
    derandomize=bool(os.environ.get("TOCSIN_NO_SKIPS")),
)  # fmt: skip
settings.load_profile("tocsin")

PUBLISHED = datetime(2022, 9, 1, 10, tzinfo=UTC)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers():
    """Two more than there are cores: many a test waits half of its time, for a lease, a browser or another process."""
    cores = yield
    return cores if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else cores + 2


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where TOCSIN_NO_SKIPS is set a skipped test is a failed one."""
    report = yield
    if report.skipped and os.environ.get("TOCSIN_NO_SKIPS") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which is not allowed here: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def seed_text() -> str:
    """The real series as its organisers wrote it."""
    return (ROOT / "events.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def seed(seed_text: str) -> Catalogue:
    """The real series as a catalogue."""
    return load(Source("events.toml", seed_text)).catalogue


@pytest.fixture(scope="session")
def seed_ledger() -> Ledger:
    """The committed ledger of the real series."""
    return journal.read((ROOT / "ledger.jsonl").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def seed_edition(seed: Catalogue, seed_ledger: Ledger) -> Edition:
    """The real series as it was published, seen on 1 October 2022."""
    return Edition(seed, seed_ledger, date(2022, 10, 1))


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    """The shipped templates."""
    return Renderer()
