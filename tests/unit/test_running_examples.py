"""The units of systemd and the container file: they start what exists, as a user of its own, and pass on no more."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.cli import whole_parser

ROOT = Path(__file__).parents[2]
CONTRIB = ROOT / "contrib"
SERVICES = ("tocsin.service", "tocsin-send.service")
OURS = {"subscribe", "privacy", "confirm", "preferences", "unsubscribe"}
"""What strangers may ask of the service; /healthz and /metrics are for those who watch over it."""


def unit(name: str) -> configparser.ConfigParser:
    read = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes=("#",))
    read.optionxform = str  # type: ignore[assignment,method-assign] # the names of systemd have large letters
    read.read_string((CONTRIB / name).read_text())
    return read


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_starts_a_command_that_there_is_as_a_user_with_few_rights(name: str) -> None:
    service = unit(name)["Service"]
    program, *arguments = shlex.split(service["ExecStart"])
    assert program == "/opt/tocsin/bin/tocsin"
    assert whole_parser().parse_args(arguments).command == arguments[0]
    assert (service["User"], service["NoNewPrivileges"], service["ProtectSystem"]) == ("tocsin", "yes", "strict")
    assert (service["CapabilityBoundingSet"], service["UMask"]) == ("", "0077")
    assert (service["StateDirectory"], service["StateDirectoryMode"]) == ("tocsin", "0700")
    # A stop signal is answered within ten seconds.
    assert int(service["TimeoutStopSec"]) > 10
    assert not re.search(r"TOCSIN_(SMTP_URL|SECRET|DKIM_KEY)=", (CONTRIB / name).read_text())


def test_what_ends_because_it_hangs_is_started_again_and_what_the_timer_starts_ends() -> None:
    assert unit("tocsin.service")["Service"]["Restart"] == "on-failure"
    assert unit("tocsin-send.service")["Service"]["Type"] == "oneshot"
    assert unit("tocsin-send.timer")["Timer"]["Persistent"] == "yes"


def test_systemd_finds_nothing_to_say_where_it_is_there_to_be_asked(tmp_path: Path) -> None:
    files = []
    for name in (*SERVICES, "tocsin-send.timer"):
        text = (CONTRIB / name).read_text().replace("/opt/tocsin/bin/tocsin", "/bin/true")
        (tmp_path / name).write_text(text)
        files.append(str(tmp_path / name))
    if tool := shutil.which("systemd-analyze"):
        done = subprocess.run([tool, "verify", "--man=no", *files], capture_output=True, text=True, check=False)
        said = [line for line in done.stderr.splitlines() if "tocsin" in line]
        assert (done.returncode, said) == (0, [])


def test_the_container_runs_as_a_user_of_its_own_and_asks_whether_it_is_well() -> None:
    text = re.sub(r"\\\n\s*", "", (CONTRIB / "Containerfile").read_text())
    steps = [line.partition(" ") for line in text.splitlines() if re.match(r"[A-Z]+ ", line)]
    last = {name: value for name, _, value in steps}
    assert last["USER"] == "tocsin"
    assert [name for name, _, _ in steps].index("USER") < [name for name, _, _ in steps].index("ENTRYPOINT")
    assert last["STOPSIGNAL"] == "SIGTERM"
    assert "/healthz" in last["HEALTHCHECK"]
    arguments = re.findall(r'"([^"]+)"', last["CMD"])
    assert whole_parser().parse_args(arguments).command == "run"
    assert "--require-hashes" in text
    taken = [
        word for name, _, value in steps if name == "COPY" and "--from" not in value for word in value.split()[:-1]
    ]
    assert [word for word in taken if not (ROOT / word).exists()] == []
    assert "TOCSIN_SECRET" not in last["ENV"]


def test_each_web_server_passes_on_the_service_s_paths_and_no_others() -> None:
    nginx = (CONTRIB / "nginx.conf").read_text()
    # Only these two kinds of rule go before those for files, which end in .json as one's own data do.
    found = re.findall(r"location (=|\^~) /(\w+)/? \{ include [^}]*proxy_pass", nginx)
    assert {name for _, name in found} == OURS
    assert nginx.count("proxy_pass") == len(OURS)
    apache = (CONTRIB / "apache.conf").read_text()
    passed = " ".join(re.findall(r"ProxyPassMatch \"\^/([^\"]*)\"", apache))
    assert set(re.findall(r"[a-z]{3,}", passed)) == OURS
    caddy = (CONTRIB / "Caddyfile").read_text()
    assert set(re.findall(r"/(\w+)", re.findall(r"@service path (.*)", caddy)[0])) == OURS
    assert caddy.count("reverse_proxy") == 1
    # What holds for files alone stands with the files.
    assert caddy.index("reverse_proxy") < caddy.index("@data")
