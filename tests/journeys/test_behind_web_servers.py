"""The example files for web servers as those servers read them: the site, the service behind it, and nothing more."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from capture import capture
from patience import PATIENCE, until
from test_publishing import ROOT, project, tocsin
from test_service import ADA, free_place, ready, serving, standing
from test_service_under_load import SECRET, public_ids

from pipeline.actions.joining import preferences_token
from pipeline.letters import unsubscribe_token

__all__ = ["project"]

CONTRIB = ROOT / "contrib"
USER = "" if os.geteuid() else "User nobody\nGroup nogroup\n"
"""What Apache asks of root; the others choose such a user by themselves."""
MODULES = Path("/usr/lib/apache2/modules")


def nginx(folder: Path, place: str, backend: str, out: Path) -> list[str]:
    """nginx without TLS, everything it writes in a folder."""
    passing = (CONTRIB / "tocsin-proxy.conf").read_text()
    (folder / "tocsin-proxy.conf").write_text(passing)
    text = (CONTRIB / "nginx.conf").read_text()
    text = re.sub(r"    (listen|ssl_certificate|ssl_certificate_key) .*\n", "", text)
    text = text.replace("server_name", f"listen {place};\n    server_name", 1)
    text = text.replace("/etc/nginx/tocsin-proxy.conf", str(folder / "tocsin-proxy.conf"))
    text = text.replace("/srv/tocsin/out", str(out)).replace("127.0.0.1:8025", backend)
    kept = "".join(
        f"{name}_temp_path {folder / name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder / 'pid'}; error_log {folder / 'error.log'};\nevents {{}} http {{\n{kept}{text}}}\n"
    )
    return ["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]


def apache2(folder: Path, place: str, backend: str, out: Path) -> list[str]:
    """Apache without TLS."""
    text = (CONTRIB / "apache.conf").read_text()
    text = re.sub(r"    SSL\w+ .*\n", "", text).replace("*:443", place)
    text = text.replace("/srv/tocsin/out", str(out)).replace("127.0.0.1:8025", backend)
    modules = (
        "mpm_event",
        "authz_core",
        "dir",
        "mime",
        "env",
        "headers",
        "filter",
        "deflate",
        "proxy",
        "proxy_http",
        "unixd",
    )
    loaded = "".join(
        f"LoadModule {name}_module {MODULES}/mod_{name}.so\n"
        for name in modules
        if (MODULES / f"mod_{name}.so").exists()
    )
    (folder / "apache.conf").write_text(
        f"{loaded}{USER}ServerRoot {folder}\nPidFile {folder}/pid\nErrorLog {folder}/error.log\nListen {place}\n"
        f"ServerName talks.example\nTypesConfig /etc/mime.types\nDefaultRuntimeDir {folder}\n{text}"
    )
    return ["apache2", "-f", str(folder / "apache.conf"), "-D", "FOREGROUND"]


def caddy(folder: Path, place: str, backend: str, out: Path) -> list[str]:
    """Caddy without TLS."""
    text = (CONTRIB / "Caddyfile").read_text()
    text = text.replace("talks.example {", f"http://talks.example:{place.rpartition(':')[2]} {{\n\tbind 127.0.0.1", 1)
    text = text.replace("/srv/tocsin/out", str(out)).replace("127.0.0.1:8025", backend)
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https off\n}}\n{text}")
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


SERVERS: tuple[Callable[[Path, str, str, Path], list[str]], ...] = tuple(
    server for server in (nginx, apache2, caddy) if shutil.which(server.__name__)
)
"""Those that this machine has: what their files say is judged by reading them as well."""


@contextmanager
def in_front(
    server: Callable[[Path, str, str, Path], list[str]], folder: Path, backend: str, out: Path
) -> Iterator[str]:
    """A web server in front of the service; where it listens."""
    place = free_place()
    folder.mkdir()
    command = server(folder, place, backend, out)
    with (folder / "said.txt").open("w") as said:
        clean = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(folder)}
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, env=clean)
    try:
        until(lambda: listens(place) or process.poll() is not None)
        assert process.poll() is None, (folder / "said.txt").read_text()
        yield place
    except AssertionError:
        print(*(log.read_text() for log in folder.glob("*.log")))  # only the server knows why
        raise
    finally:
        process.terminate()
        process.wait(PATIENCE)


def listens(place: str) -> bool:
    host, _, port = place.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_the_service_answers_behind_each_of_them_and_shows_strangers_no_more_than_it_should(
    project: Path, tmp_path: Path
) -> None:
    ready(project)
    tocsin(project, "subscribers", "add", ADA)
    name = public_ids(project)[ADA]
    leave = f"/unsubscribe/{unsubscribe_token(name, SECRET.encode())}"
    choose = f"/preferences/{preferences_token(name, SECRET.encode())}"
    with (
        TemporaryDirectory() as folder,  # that of the tests is closed to the users that web servers run as
        capture(tmp_path / "mail") as (_, url),
        serving(project, url, "--host", "talks.example", TOCSIN_SECRET=SECRET) as client,
    ):
        top = Path(folder)
        top.chmod(0o755)
        out = Path(shutil.copytree(project / "out", top / "out"))
        backend = f"{client.base_url.host}:{client.base_url.port}"
        for server in SERVERS:
            with in_front(server, top / server.__name__, backend, out) as place:
                check(place, leave, choose, server.__name__)
            assert "unsubscribed" not in standing(project)
            for file in (top / server.__name__).rglob("*"):
                assert not file.is_file() or leave not in file.read_text(errors="replace"), "a token is in a log"
        for server in SERVERS[:1]:
            with in_front(server, top / "last", backend, out) as place:
                for _twice in range(2):
                    left = httpx.post(f"http://{place}{leave}", content=b"List-Unsubscribe=One-Click",
                                      headers={"Host": "talks.example"}, timeout=PATIENCE)  # fmt: skip
                    assert left.status_code == 200
            assert "unsubscribed" in standing(project)


def check(place: str, leave: str, choose: str, name: str) -> None:
    """What a stranger and a reader see of it."""
    forged = {"Host": "talks.example", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "evil.example"}
    with httpx.Client(base_url=f"http://{place}", headers=forged, timeout=PATIENCE) as visitor:
        for path in ("/subscribe", "/privacy", leave, choose, f"{choose}/erase", f"{choose}/data.json"):
            answer = visitor.get(path)
            assert answer.status_code == 200, (name, path)
            assert answer.headers.get_list("Cache-Control") == ["no-store"], (name, path, answer.headers)
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "Access-Control-Allow-Origin" not in answer.headers, (name, path)
        assert visitor.get(f"{choose}/data.json").json()["address"] == ADA
        assert visitor.get("/subscribe/").text != visitor.get("/subscribe").text
        for path in ("/metrics", "/healthz", "/.manifest", "/.git/config"):
            assert visitor.get(path).status_code in {403, 404}, (name, path)
        assert visitor.get("/").status_code == 200
        assert visitor.get("/", headers={"Accept-Encoding": "identity"}).headers["X-Content-Type-Options"] == "nosniff"
        too_much = visitor.post("/subscribe", content=b"address=" + b"x" * 30_000,
                                headers={"Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
        assert too_much.status_code == 413, (name, too_much.status_code)
        assert visitor.get("/confirm/nothing").status_code == 404


@pytest.mark.parametrize("file", ["nginx.conf", "apache.conf", "Caddyfile"])
def test_no_example_keeps_a_log_of_requests(file: str) -> None:
    text = (CONTRIB / file).read_text()
    assert not re.findall(r"^\s*(?:CustomLog|TransferLog|access_log(?! off)|log\b)", text, re.MULTILINE)
