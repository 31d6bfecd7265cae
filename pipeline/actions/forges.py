"""A series without a server: the pipeline by which a forge checks, publishes, deploys and posts to mailing lists."""

import json
from importlib import metadata
from pathlib import Path

from pipeline.files import alone_in, write_whole

PIPELINES = {
    "github": ".github/workflows/tocsin.yml",
    "gitlab": ".gitlab-ci.yml",
    "forgejo": ".forgejo/workflows/tocsin.yml",
}
"""The forges, and where each looks for its pipeline."""
_OURS = Path(__file__).parent.parent / "forges"
_WHEEL = "./tocsin-{version}-py3-none-any.whl"


def requirement(version: str, origin: str | None) -> str:
    """What pip installs to have that version again, from nowhere else than it came from.

    `origin` is the `direct_url.json` of the installed package (PEP 610), None for one from a package index. A file or
    folder of this machine is out of a forge's reach: in its place stands the wheel, to lie beside the catalogue.
    """
    if origin is None:
        return f"tocsin=={version}"
    told = json.loads(origin)
    address, repository = told["url"], told.get("vcs_info")
    if repository is not None:
        return f"tocsin @ {repository['vcs']}+{address}@{repository['commit_id']}"
    if address.startswith("file:"):
        return _WHEEL.format(version=version)
    digest = told.get("archive_info", {}).get("hashes", {}).get("sha256")
    return f"tocsin @ {address}#sha256={digest}" if digest else f"tocsin @ {address}"


def requirement_here() -> str:
    """That of the tocsin that runs; of one that isn't installed, the wheel that `make dist` would make."""
    try:
        here = metadata.distribution("tocsin")
    except metadata.PackageNotFoundError:
        return _WHEEL.format(version="VERSION")
    return requirement(here.version, here.read_text("direct_url.json"))


def pipeline_of(forge: str, installed: str) -> str:
    """The text of a forge's pipeline; `installed` is the requirement that it hands to pip."""
    return (_OURS / f"{forge}.yml").read_text(encoding="utf-8").replace("«requirement»", installed)


def write_pipeline(folder: Path, forge: str, installed: str) -> tuple[str, bool]:
    """Writes the pipeline below a folder: its path, and whether it was written. One that is there stays as it is."""
    name = PIPELINES[forge]
    with alone_in(folder):
        if (folder / name).exists():
            return name, False
        write_whole(folder / name, pipeline_of(forge, installed).encode())
    return name, True
