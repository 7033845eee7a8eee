"""The course's notebooks as files: which there are, how long they take, what their outputs carry."""

import copy
import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from mtlib import paths

INJECTED = "injected-parameters"  # papermill's tag for the cell that it puts after the parameters
# ipykernel names a cell's source after its process, which a warning then repeats.
CELL_FILE = re.compile(r"[^\s\"']*ipykernel_\d+[/\\]\d+\.py")


class NotebookError(ValueError):
    """A notebook that is unknown, ambiguous or unreadable: one line."""


def all_notebooks() -> list[Path]:
    """The committed notebooks, in the course's order."""
    return sorted((paths.repository() / "notebooks").glob("*.ipynb"))


def find(name: str) -> Path:
    """The notebook meant by a number (``01``), a stem, or a path.

    Raises:
        NotebookError: none or several are meant; the message lists what there is.
    """
    if name.endswith(".ipynb") and Path(name).is_file():
        return Path(name).resolve()
    known = all_notebooks()
    stem = name.removesuffix(".ipynb")
    found = [path for path in known if path.stem == stem]
    found = found or [path for path in known if path.stem.split("_")[0] == stem]
    if len(found) == 1:
        return found[0]
    stems = [path.stem for path in known]
    close = difflib.get_close_matches(stem, stems, n=1)
    hint = f" (did you mean '{close[0]}'?)" if close else ""
    problem = f"several notebooks are called {name!r}" if found else f"no notebook {name!r}{hint}"
    raise NotebookError(f"{problem}; there are: {', '.join(stems) or 'none yet'}, or give a path to an .ipynb file")


def choose(names: Sequence[str]) -> list[Path]:
    """Notebooks by name, each once; ``all`` is every committed one.

    Raises:
        NotebookError: an unknown name, nothing to choose, or two files of one stem, whose results
            would overwrite each other.
    """
    chosen = list(
        dict.fromkeys(path for name in names for path in (all_notebooks() if name == "all" else [find(name)]))
    )
    if not chosen:
        raise NotebookError("there are no notebooks in notebooks/ yet")
    stems = [path.stem for path in chosen]
    double = next((stem for stem in stems if stems.count(stem) > 1), None)
    if double:
        raise NotebookError(f"two notebooks are called '{double}': run them into different folders")
    return chosen


def load(path: Path) -> NotebookNode:
    """A notebook, without a cell that an earlier run injected.

    Raises:
        NotebookError: the file is missing, or no notebook.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises what its parsers raise
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise NotebookError(f"cannot read the notebook {path}: {reason}") from None
    notebook.cells = [cell for cell in notebook.cells if not is_injected(cell)]
    return notebook


def save(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook whole or not at all."""
    paths.write_atomic(path, nbformat.writes(notebook) + "\n")


def is_injected(cell: NotebookNode) -> bool:
    """Whether papermill put the cell in, to set parameters."""
    return INJECTED in cell.metadata.get("tags", [])


def expected_seconds(notebook: NotebookNode, profile: str) -> float | None:
    """What the notebook's metadata declares for a profile on two cores: ``mtlib.seconds.<profile>``."""
    return notebook.metadata.get("mtlib", {}).get("seconds", {}).get(profile)


def title(notebook: NotebookNode) -> str | None:
    """The first heading of the first markdown cell that has one."""
    for cell in notebook.cells:
        heading = re.search(r"^# +(.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
        if heading:
            return heading[1].strip()
    return None


def displays(notebook: NotebookNode, mime: str) -> Iterator[tuple[int, Any]]:
    """Each output that carries the MIME type: its cell's number from 1, and all its data."""
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if mime in output.get("data", {}):
                yield number, output.data


def with_outputs(source: NotebookNode, executed: NotebookNode, keep_injected: bool) -> NotebookNode:
    """The source with the outputs of its execution, and nothing else that running added.

    Durations, times, paths and tags that papermill and nbclient leave behind are gone by
    construction: only outputs and execution counts are taken over, machine paths shortened.

    Raises:
        NotebookError: the two have different cells.
    """
    result = copy.deepcopy(source)
    ran = [cell for cell in executed.cells if not is_injected(cell)]
    if [cell.source for cell in ran] != [cell.source for cell in source.cells]:
        raise NotebookError("the executed notebook has other cells than its source")
    for cell, done in zip(result.cells, ran, strict=True):
        if cell.cell_type == "code":
            cell.outputs = [_without_paths(output) for output in done.outputs]
            cell.execution_count = done.execution_count
    if keep_injected:
        for number, cell in enumerate(executed.cells):
            if is_injected(cell):
                result.cells.insert(number, _injected(cell))
    return result


def _injected(cell: NotebookNode) -> NotebookNode:
    # papermill draws a random id, which would make two equal runs differ
    kept = nbformat.v4.new_code_cell(
        without_paths(cell.source), id=INJECTED, metadata={"tags": [INJECTED]}, execution_count=cell.execution_count
    )
    kept.outputs = cell.outputs
    return kept


def without_paths(text: str) -> str:
    """Text with the repository's folder and the home folder shortened, and cell files named alike."""
    text = CELL_FILE.sub("<cell>", text)
    for folder, short in ((paths.ROOT, ""), (Path.home(), "~/")):
        if folder != Path(folder.anchor):
            text = re.sub(rf"(?<![\w.~-]){re.escape(str(folder))}[/\\]", short, text)
    return text


def _without_paths(output: NotebookNode) -> NotebookNode:
    """An output whose texts name no folder of this machine; images and bundles stay as they are."""
    output = copy.deepcopy(output)
    if "text" in output:
        output.text = without_paths(output.text)
    for mime, content in output.get("data", {}).items():
        if mime.startswith("text/") and isinstance(content, str):
            output.data[mime] = without_paths(content)
    if "traceback" in output:
        output.traceback = [without_paths(line) for line in output.traceback]
        output.evalue = without_paths(output.evalue)
    return output
