"""How the files of groups that were refused are told at the terminal, and what stands in their place."""

from collections.abc import Collection, Sequence

from pipeline.catalogue.findings import nearest
from pipeline.catalogue.models import Catalogue
from pipeline.catalogue.refused import Refused
from pipeline.commands.reader import as_json
from pipeline.commands.shell import DONE, WRONG, Shell
from pipeline.errors import N_, visible


def tell_refused(shell: Shell, refused: Sequence[Refused], catalogue: Catalogue) -> int:
    """Every problem of the groups' files that were refused, and what stands in their place; the status that follows."""
    for one in refused:
        shell.tell_problems(one.problems)
    kept = {event.group for name in catalogue.kept if (event := catalogue.event_by_id.get(name)) and event.group}
    for one in refused:
        meant = nearest(one.group, sorted(kept)) if one.group is not None else None
        said = _what_stands(one.group, kept, meant)
        if one.group in catalogue.group_by_id and one.group not in kept:
            said = N_('{file} was refused: group "{group}" is that of another file, which goes on as all else does')
        values = {"file": one.file, "group": one.group or "", "meant": meant or ""}
        shell.complain(shell.words(said).format_map({name: visible(value) for name, value in values.items()}))
    return WRONG if refused else DONE


def _what_stands(group: str | None, kept: Collection[str], meant: str | None) -> str:
    """What stands in the place of a refused file, as an English pattern."""
    if group is None:
        return N_("{file} was refused: its group keeps its last published edition; all else goes on")
    if group in kept:
        return N_('{file} was refused: group "{group}" keeps its last published edition; all else goes on')
    if meant is None:
        return N_('{file} was refused: nothing has been published yet of a group "{group}"; all else goes on')
    return N_(
        '{file} was refused: nothing has been published yet of a group "{group}": did you mean "{meant}"? '
        "That one keeps its last published edition; all else goes on"
    )


def refused_as_json(shell: Shell, refused: Sequence[Refused]) -> list[dict[str, object]]:
    """The same for a program."""
    return [
        {
            "file": one.file,
            "group": one.group,
            "problems": [as_json(problem, shell.words) for problem in one.problems],
        }
        for one in refused
    ]
