"""A server that follows a branch tells of a group's slip, though all else is published."""

from datetime import UTC, datetime
from pathlib import Path

from test_posting import CATALOGUE, git, pushed

from pipeline.actions.following import Follower
from pipeline.actions.project import project_at
from pipeline.clock import FrozenClock
from pipeline.store.database import open_database

CLOCK = FrozenClock(datetime(2027, 1, 11, 10, tzinfo=UTC))
CHOIR = """[group]
id = "choir"
name = "Choir"
[[event]]
id = "song"
title = "A song"
date = 2027-03-05
time = "19:00"
"""


def test_a_slip_in_a_groups_file_is_told_until_it_is_mended(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    git(tmp_path, "clone", "--quiet", "remote.git", "work")
    work = tmp_path / "work"
    (work / ".gitignore").write_text("/out/\n/var/\n")
    (work / "groups").mkdir()
    (work / "events.toml").write_text(CATALOGUE.replace("[series]", 'include = ["groups/*.toml"]\n[series]', 1))
    (work / "groups" / "choir.toml").write_text(CHOIR)
    pushed(work)
    git(work, "branch", "--quiet", "--set-upstream-to", "origin/main")
    with open_database(f"sqlite:///{work / 'var' / 'tocsin.db'}", CLOCK) as database:
        follower = Follower(project_at(work / "events.toml"), database, CLOCK, writes=True)
        assert follower.look().changes == 2
        (work / "groups" / "choir.toml").write_text(CHOIR.replace("19:00", "19h61"))
        (work / "events.toml").write_text((work / "events.toml").read_text().replace("What bees know", "Bees"))
        pushed(work)
        found = follower.look()
        assert found.changes == 1
        assert str(found.trouble).startswith("a group's last edition stays: groups/choir.toml:8: ")
        assert (str(follower.look().trouble), follower.look().changes) == (str(found.trouble), 0)
        (work / "groups" / "choir.toml").write_text(CHOIR)
        pushed(work)
        found = follower.look()
        assert (found.trouble, found.recovered) == (None, True)
