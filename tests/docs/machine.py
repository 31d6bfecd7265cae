"""A machine in a folder, with its own /opt and /etc, on which what the documentation has people type is typed.

The commands run as they stand, by bash, line after line. What can't be run as anybody on any machine is listed with its
reason, in `NOT_RUN` and `INSTEAD`.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import forking
from checkout import ROOT

NOT_RUN = {
    "adduser --system --group --home /srv/tocsin tocsin": "makes a user, which only root can",
    "chown root:tocsin /etc/tocsin/environment": "gives a file away, which only root can",
    "systemctl enable --now tocsin": "wants systemd; what the unit starts is started by a test of its own",
    "systemctl restart tocsin": "wants systemd",
}
"""Lines that are left out, and why."""

INSTEAD = {
    "tocsin doctor": ("tocsin doctor --no-dns", "asks the name servers of the world"),
    "git clone … && cd tocsin && make demo": ("cd /usr/local/tocsin && make demo", "leaves the address open"),
}
"""Lines in whose place another one is run, and why."""

FOLDERS = (
    "chemin/vers", "etc/bash_completion.d", "etc/systemd/system", "etc/tocsin", "home/.config/fish/completions", "opt",
    "path/to", "usr/local/share/zsh/site-functions", "var/lib/tocsin", "var/mail",
)  # fmt: skip
OF_THE_MACHINE = re.compile(r"(?<![\w.:/~])/(?=(?:opt|etc|srv|usr/local|var|path|chemin)/)|(?<=sqlite:///)/(?=var/)")
CRON = re.compile(r"^(?:[\d*/,-]+ +){5}")
VENV = """
[ "$1 $2" = "-m venv" ] || exec {python} "$@"
{python} -m venv --without-pip "$3" || exit
for each in "$3"/lib/python3*/site-packages; do echo {dependencies} > "$each/dependencies.pth"; done
printf '#!/bin/sh\\nexec "${{0%%/*}}/python" -m pip "$@"\\n' > "$3/bin/pip" && chmod +x "$3/bin/pip"
"""
"""What `python3` does there: a new environment is lent a pip, which is quicker than installing one."""
NOW = "2027-01-10T10:20:00Z"
"""A while after the tutorial's series was published: its announcements are due."""


def start_of(line: str) -> str:
    """What is run for a line; nothing for one that is left out."""
    line = line.strip()
    if line in NOT_RUN:
        return ""
    return CRON.sub("", INSTEAD.get(line, (line, ""))[0])


@dataclass
class Machine:
    """What lies in `folder`; commands are typed in `project`, and mail goes to the server at `smtp`."""

    folder: Path
    smtp: str
    project: Path = field(init=False)
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.project = self.folder / "srv/tocsin"
        tools, home = self.folder / "usr/local/bin", self.folder / "home"
        for folder in (self.project, tools, *(self.folder / name for name in FOLDERS)):
            folder.mkdir(parents=True, exist_ok=True)
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("TOCSIN_", "PYTHON"))}
        who = [f"GIT_{role}_{what}" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")]
        # pip asks nobody: it and what tocsin depends on are lent to each environment by the one that runs the tests.
        pip = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
        self.environment = {
            **clean, **dict.fromkeys(who, "ada@talks.example"), **pip, "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "HOME": str(home), "PATH": f"{tools}:{os.environ['PATH']}", "TOCSIN_SMTP_URL": self.smtp,
        }  # fmt: skip
        self._lend_dependencies()
        self.tool("python3", VENV.format(python=sys.executable, dependencies=self.folder / "dependencies"))

    def _lend_dependencies(self) -> None:
        lent = self.folder / "dependencies"
        lent.mkdir()
        for site in [Path(path) for path in sys.path if path.endswith("site-packages")]:
            for package in site.iterdir():
                ours = "tocsin" in package.name or package.suffix == ".pth"
                if not ours and not (lent / package.name).exists():
                    (lent / package.name).symlink_to(package)

    def tool(self, name: str, script: str) -> None:
        """Puts a command of that name in front of the ones of the system."""
        file = self.folder / "usr/local/bin" / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def lend_tocsin(self) -> None:
        """The command `tocsin` as it lies in this checkout, on the day of `NOW`."""
        self.environment["PYTHONPATH"] = str(ROOT)
        self.tool("tocsin", forking.script("--now", NOW))

    def here(self, text: str) -> str:
        """A text with the folders of the machine."""
        return OF_THE_MACHINE.sub(f"{self.folder}/", text)

    def types(self, lines: str, *, says: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        """Types a block, which ends with the status that it `says`."""
        script = "\n".join(start_of(line) for line in lines.splitlines())
        done = subprocess.run(
            ["bash", "-e", "-u", "-o", "pipefail", "-c", self.here(script)], cwd=self.project,
            env={**self.environment, **environment}, capture_output=True, text=True, check=False,
            pass_fds=[forking.connection().fileno()],
        )  # fmt: skip
        assert done.returncode == says, (lines, done.stdout, done.stderr)
        return done

    def kept(self, name: str) -> bytes:
        """The bytes of a file of the machine."""
        return (self.folder / name.lstrip("/")).read_bytes()

    def keep(self, name: str, text: str) -> Path:
        """Writes a file of the machine, with its folders named as they are here."""
        file = self.folder / name.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self.here(text), encoding="utf-8")
        return file

    def take(self, source: Path, name: str) -> None:
        """Copies a file or a folder onto the machine."""
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, self.folder / name.lstrip("/"))
