"""A series without a server: the pipeline by which a forge checks, publishes, deploys and posts to mailing lists."""

from pathlib import Path

from pipeline.files import alone_in, write_whole

PIPELINES = {
    "github": ".github/workflows/tocsin.yml",
    "gitlab": ".gitlab-ci.yml",
    "forgejo": ".forgejo/workflows/tocsin.yml",
}
"""The forges, and where each looks for its pipeline."""
_OURS = Path(__file__).parent.parent / "forges"


def pipeline_of(forge: str, requirement: str) -> str:
    """The text of a forge's pipeline; `requirement` is what it installs by pip."""
    return (_OURS / f"{forge}.yml").read_text(encoding="utf-8").replace("«requirement»", requirement)


def write_pipeline(folder: Path, forge: str, requirement: str) -> tuple[str, bool]:
    """Writes the pipeline below a folder: its path, and whether it was written. One that is there stays as it is."""
    name = PIPELINES[forge]
    with alone_in(folder):
        if (folder / name).exists():
            return name, False
        write_whole(folder / name, pipeline_of(forge, requirement).encode())
    return name, True
