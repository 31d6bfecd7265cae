"""Every block of the documentation is run, read or tried by a test, and every command for a shell does what is said."""

import mailbox
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import forking
import httpx
import pytest
from bounce_mail import delivery_report
from checkout import ROOT
from mail_sink import Sink, sink
from patience import PATIENCE, until

sys.path.insert(0, str(Path(__file__).parents[1] / "journeys"))

from machine import INSTEAD, NOT_RUN, NOW, Machine
from sessions import PAGES, STEP, Reader, blocks, read, tutorial_series
from test_publishing import tocsin
from test_service import answers, free_place
from test_wheel import build, left_out

from pipeline.settings import settings_of

__all__ = ["sink"]

ADA = "ada@reader.example"
HEADLESS = ("docs/reference/commands.md",)
"""Pages whose indented lines are the synopses of commands, made from the parser."""
SHOWN_ONLY = {
    ("docs/explanation/house.md", "text"): "a drawing of the floors",
    ("README.md", ""): "a map of the folders",
}
"""Blocks in which there is nothing to try, and why."""


@pytest.fixture
def machine(tmp_path: Path, sink: Sink) -> Machine:
    """One on which the tutorial's series was published, with one subscriber, and mail may leave."""
    made = Machine(tmp_path, f"smtp://127.0.0.1:{sink.port}")
    made.lend_tocsin()
    publish_first(made.project)
    tocsin(made.project, "subscribers", "add", ADA, "--consent", "asked")
    tocsin(made.project, "arm")
    return made


def publish_first(project: Path) -> None:
    (project / "events.toml").write_text(tutorial_series(), encoding="utf-8")
    done = tocsin(project, "publish", "--now", "2027-01-10T10:00:00Z")
    assert done.returncode == 0, done.stderr


def indented(page: str) -> list[str]:
    """The indented blocks of a page: commands as well."""
    return re.findall(r"(?m)(?<=\n\n)(?: {4}\S.*\n)+", re.sub(r"```.*?```\n", "", read(page), flags=re.DOTALL))


def repository_of(machine: Machine) -> None:
    """Makes the project a clone of a repository beside it, with one more event to publish."""
    with (machine.project / "events.toml").open("a", encoding="utf-8") as catalogue:
        catalogue.write('\n[[event]]\nid = "moss"\ntitle = "Moss"\ndate = 2027-05-20\ntime = "19:00"\n')
    machine.types(
        "git init -q --bare -b main ../remote.git; git init -q -b main; git remote add origin ../remote.git\n"
        "printf '/out/\\n/var/\\n/.env\\n' > .gitignore\n"
        "git add --all; git commit -q -m series; git push -q -u origin main"
    )


def committed(machine: Machine) -> str:
    """The ledger in the repository that is followed."""
    return machine.types("git -C ../remote.git show main:ledger.jsonl").stdout


# --- The pages with commands for a shell, each with what its reader has before and may expect afterwards ---


def doubt(machine: Machine, sink: Sink) -> None:
    hold = ("send", "--in-doubt", "hold")
    url = {"TOCSIN_SMTP_URL": machine.smtp}
    killed = tocsin(machine.project, *hold, "--now", NOW, TOCSIN_CRASH_AT="after_dot:1", **url)
    assert killed.returncode == -signal.SIGKILL
    tocsin(machine.project, *hold, "--now", NOW.replace(":20:", ":22:"), **url)
    database = machine.project / "var/tocsin.db"
    before = database.read_bytes()
    [block] = blocks("docs/explanation/doubt.md", "sh")
    said = []
    for line in block.splitlines():  # one or the other, so each begins with the same letter in doubt
        database.write_bytes(before)
        said.append(machine.types(line).stdout)
    listed, again, dropped = said
    assert ADA in listed
    assert (again.split(",")[0], dropped.strip()) == ("1 letter will be sent again", "1 letter counted as gone")


def privacy(machine: Machine, sink: Sink) -> None:
    [block] = blocks("docs/explanation/privacy.md", "sh")
    assert ADA in machine.types(block).stdout
    assert ADA not in machine.types("tocsin subscribers list").stdout


def bounces(machine: Machine, sink: Sink) -> None:
    machine.types("tocsin send")
    report = delivery_report(to=sink.senders[ADA])
    box = mailbox.mbox(machine.folder / "var/mail/talks-bounces")
    box.add(report)
    box.close()
    [block] = blocks("docs/how-to/bounces.md", "sh")
    assert f"{ADA} gets no more mail" in machine.types(block).stdout
    [alias] = blocks("docs/how-to/bounces.md", "text")
    [command] = set(re.findall(r'^\S+: "\|(.*)"$', alias, re.MULTILINE))
    (machine.folder / "opt/tocsin/bin").mkdir(parents=True)
    machine.types("ln -s /usr/local/bin/tocsin /opt/tocsin/bin/tocsin")
    piped = subprocess.run(
        ["sh", "-c", machine.here(command)], input=report, env=machine.environment, capture_output=True, check=False,
        pass_fds=[forking.connection().fileno()],
    )  # fmt: skip
    assert (piped.returncode, b"known" in piped.stdout + piped.stderr) == (0, False), piped


def importing(machine: Machine, sink: Sink) -> None:
    machine.keep("srv/tocsin/plan.csv", "Titel,Tag,Uhrzeit\nMoss,20/05/2027,19:00\n")
    [block] = blocks("docs/how-to/import.md", "sh")
    machine.types(block)
    assert "date = 2027-05-20" in machine.kept("srv/tocsin/events.toml").decode()


def postfix(machine: Machine, sink: Sink) -> None:
    [block] = blocks("docs/how-to/postfix.md", "sh")
    machine.types(block)
    assert "you@example.org" in sink.copies()
    [main] = blocks("docs/how-to/postfix.md", "ini")
    machine.keep("etc/postfix/main.cf", "compatibility_level = 3.6\n" + main)
    if shutil.which("postconf"):
        read_back = machine.types("postconf -c /etc/postfix -n")
        assert "unused parameter" not in read_back.stderr
        assert set(main.splitlines()) <= set(read_back.stdout.splitlines())


def static_host(machine: Machine, sink: Sink) -> None:
    (machine.folder / "srv/talks").symlink_to(machine.project)
    *pipeline, timer = blocks("docs/how-to/static-host.md", "sh")
    machine.types(timer)
    assert sink.copies() == {ADA: 2}  # two events were announced
    repository_of(machine)
    machine.types("\n".join(pipeline))
    assert committed(machine).count("\n") == 3


def readme(machine: Machine, sink: Sink) -> None:
    shutil.copytree(ROOT, machine.folder / "usr/local/tocsin", ignore=left_out)
    ready = machine.folder / "venv/ready"
    ready.parent.mkdir()
    ready.touch()
    [block] = indented("README.md")
    # The environment that `make` would fetch is the one that runs this test.
    done = machine.types(block, MAKEFLAGS=f"VENV={ready.parent} BIN={Path(sys.executable).parent}", PYTHONPATH="")
    assert "Everybody hears, once" in done.stdout
    assert machine.kept("usr/local/tocsin/out/fr/index.html")


def installs_from_source(page: str, folder: str) -> Callable[[Machine, Sink], None]:
    def check(machine: Machine, sink: Sink) -> None:
        shutil.copytree(ROOT, machine.folder / folder, ignore=left_out)
        (machine.folder / "usr/local/bin/tocsin").unlink()
        machine.types("\n".join(indented(page)), PYTHONPATH="")
        assert machine.types("~/tocsin/bin/tocsin --version", PYTHONPATH="").stdout.startswith("tocsin 0.")

    return check


SCENES: dict[str, Callable[[Machine, Sink], None]] = {
    "README.md": readme,
    "docs/explanation/doubt.md": doubt,
    "docs/explanation/privacy.md": privacy,
    "docs/how-to/bounces.md": bounces,
    "docs/how-to/import.md": importing,
    "docs/how-to/postfix.md": postfix,
    "docs/how-to/static-host.md": static_host,
    "docs/tutorial.md": installs_from_source("docs/tutorial.md", "path/to/tocsin"),
    "docs/tutoriel.md": installs_from_source("docs/tutoriel.md", "chemin/vers/tocsin"),
}
"""What is typed here; a server's pages have a test of their own below."""
OF_A_SERVER = ("docs/how-to/server.md", "docs/how-to/backup.md", "docs/how-to/postgresql.md")


@pytest.mark.parametrize("page", SCENES)
def test_commands_for_a_shell_do_what_their_page_says(page: str, machine: Machine, sink: Sink) -> None:
    SCENES[page](machine, sink)


# --- A server, from its installation to its upgrade ---


def wheel(folder: Path, version: str) -> Path:
    """The wheel of this checkout as that version."""
    source = folder / version
    shutil.copytree(ROOT, source, ignore=left_out)
    project = source / "pyproject.toml"
    project.write_text(re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', project.read_text()))
    return build(source)[".whl"]


def unit(text: str) -> dict[str, list[str]]:
    """What a unit of systemd says for each key; an empty value takes back what was said before."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"(?m)^(\w+)=(.*)$", text):
        found[key] = [*found.get(key, []), value] if value else []
    return found


@contextmanager
def started(machine: Machine, said: dict[str, list[str]]) -> Iterator[None]:
    """What a unit starts, as it starts it; it must answer, and end well when it is told to."""
    [command], [folder], [variables] = said["ExecStart"], said["WorkingDirectory"], said["EnvironmentFile"]
    place = free_place()
    of_the_unit = dict(
        one.split("=", 1) for one in (*said["Environment"], *machine.kept(variables).decode().splitlines())
    )
    settings = {key: machine.here(value) for key, value in of_the_unit.items()}
    process = subprocess.Popen(
        machine.here(command).replace("127.0.0.1:8025", place).split(), cwd=machine.here(folder),
        env={**machine.environment, **settings}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        with httpx.Client(base_url=f"http://{place}", timeout=PATIENCE) as client:
            until(lambda: answers(client) or process.poll() is not None)
            assert process.poll() is None, process.communicate()[0]
            yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            printed = process.communicate(timeout=PATIENCE)[0]
        finally:
            process.kill()
    assert (process.returncode, "Traceback" in printed) == (0, False), printed


def test_a_server_is_installed_started_follows_a_repository_and_is_upgraded(
    tmp_path: Path, sink: Sink, tmp_path_factory: pytest.TempPathFactory
) -> None:
    machine = Machine(tmp_path / "server", f"smtp://127.0.0.1:{sink.port}")
    install, completion, rights, start, follow = blocks("docs/how-to/server.md", "sh")
    variables, drop_in = blocks("docs/how-to/server.md", "ini")
    made = wheel(tmp_path_factory.mktemp("wheels"), "0.1.0")
    shutil.copy(made, machine.project)
    assert made.name in install, "the wheel has another name by now"
    machine.types(install)
    machine.types(completion)
    for written in re.findall(r"> (\S+)", completion):
        assert b"simulate" in machine.kept(written.replace("~", "home")), written

    machine.keep(
        "etc/tocsin/environment", re.sub(r"(?m)^TOCSIN_SMTP_URL=.*$", f"TOCSIN_SMTP_URL={machine.smtp}", variables)
    )
    machine.types(rights)
    machine.take(ROOT / "contrib", "srv/tocsin/contrib")
    machine.types(start)
    publish_first(machine.project)
    service = machine.kept("etc/systemd/system/tocsin.service").decode()
    typed = {key: value for key, value in machine.environment.items() if key != "TOCSIN_SMTP_URL"}
    machine.environment = typed  # from here on it comes from .env alone
    with started(machine, unit(service)):
        # Commands that are typed know the database of the service.
        machine.types(f"tocsin subscribers add {ADA} --consent asked; tocsin arm; test -s /var/lib/tocsin/tocsin.db")
        assert not (machine.project / "var/tocsin.db").exists()
        assert "1 active" in machine.types("tocsin subscribers stats").stdout
    timed = unit(machine.kept("srv/tocsin/contrib/tocsin-send.service").decode())
    machine.types(timed["ExecStart"][0])

    repository_of(machine)
    following = unit(service + drop_in)
    assert set(follow.split()[1:]) <= set(following["ExecStart"][0].split())
    assert following["ReadWritePaths"] == following["WorkingDirectory"]
    with started(machine, following):
        until(lambda: '"moss"' in committed(machine))

    # An upgrade, with a database of the very first version.
    first = (ROOT / "tests/contract/schema_1_sqlite.sql").read_text()
    database = machine.folder / "var/lib/tocsin/tocsin.db"
    for file in database.parent.iterdir():
        file.unlink()
    with sqlite3.connect(database) as connection:
        connection.executescript(first)
        connection.execute("INSERT INTO meta (name, value) VALUES ('schema_version', '1')")
        connection.execute(
            "INSERT INTO subscribers (series, address, mailbox, folded, public_id, language, kinds, state, bounces, "
            "consent, added, changed) VALUES ('thursday-talks', 'eve@reader.example', 'eve@reader.example', "
            "'eve@reader.example', 'x', 'en', 31, 'active', 0, '', 0, 0)"
        )
    connection.close()
    shutil.copy(wheel(tmp_path_factory.mktemp("wheels"), "0.2.0"), machine.project)
    [upgrade] = blocks("docs/how-to/backup.md", "sh")
    machine.types(upgrade)
    assert machine.types("tocsin --version").stdout == "tocsin 0.2.0\n"
    assert machine.kept("srv/tocsin/before-upgrade.db").startswith(b"SQLite")
    assert "eve@reader.example" in machine.types("tocsin subscribers list").stdout
    [extra] = blocks("docs/how-to/postgresql.md", "sh")
    machine.types(extra)


# --- The rest ---


@pytest.mark.parametrize(("page", "expected"), [("docs/how-to/server.md", 3), ("docs/how-to/postgresql.md", 1)])
def test_settings_that_a_page_shows_are_read_from_a_file(page: str, expected: int, tmp_path: Path) -> None:
    text = blocks(page, "ini")[0]
    (tmp_path / ".env").write_text(text)
    read_back = settings_of(tmp_path, {}).variables
    assert len(read_back) == expected
    assert {f"{key}={value}" for key, value in read_back.items()} == set(text.splitlines())


def test_templates_that_the_reference_shows_build(tmp_path: Path) -> None:
    publish_first(tmp_path)
    reader = Reader(tmp_path, tocsin)
    reader.follow("docs/reference/templates.md")
    done = tocsin(tmp_path, "build", "--now", NOW)
    assert done.returncode == 0, done.stderr
    assert "--paper: #fff" in (tmp_path / "out/assets/style.css").read_text()
    assert 'class="share' not in (tmp_path / "out/events/bees/index.html").read_text()


def test_every_block_is_run_read_or_tried() -> None:
    typed = {*SCENES, *OF_A_SERVER}
    for page in PAGES:
        followed = bool(blocks(page, "console")) or page == "docs/reference/templates.md"
        note = ""
        for step in STEP.finditer(read(page)):
            kind = step["kind"]
            if step["note"]:
                note = step["note"]
                continue
            ways = {
                "toml": True,  # test_every_piece_of_a_catalogue_loads takes all there are
                "console": followed,
                "diff": followed,
                "sh": page in typed,
                "ini": page in typed,
            }
            known = ways.get(kind, followed and note.startswith("write "))
            assert known or (page, kind) in SHOWN_ONLY or (kind == "text" and page in SCENES), (page, step[0])
            note = ""
        assert not indented(page) or page in SCENES or page in HEADLESS, (page, indented(page))


def test_what_is_not_run_still_stands_somewhere() -> None:
    everything = "\n".join(read(page) for page in PAGES)
    for line in (*NOT_RUN, *INSTEAD):
        assert re.search(rf"(?m)^ *{re.escape(line)}$", everything), line
