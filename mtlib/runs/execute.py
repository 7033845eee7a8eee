"""One notebook, executed headless by papermill: beside the finished notebook lies its record.

While it runs, and when it fails, the notebook is ``<name>.<profile>.partial.ipynb``; an earlier
finished pair stays as it was until the new run is complete in memory. Then, in this order: the old
record is removed, the notebook replaced, the new record written, each whole or not at all. A record
therefore always belongs to the notebook beside it, even if the machine stops in between.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from mtlib import paths
from mtlib.runs import notebooks, parameters, provenance, record

ERROR_MARKER = "papermill-error-cell-tag"  # papermill's cells that point at a failing one

Say = Callable[[str], None]
ENVIRONMENT = {
    "MTLIB_HEADLESS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # or every kernel warns about frozen modules
}


class RunFailed(RuntimeError):
    """A notebook that started and did not finish; what there is of it lies at ``partial``."""

    def __init__(self, message: str, partial: Path) -> None:
        super().__init__(f"{message}; the partial notebook is {partial}")
        self.partial = partial


class CellFailed(RunFailed):
    """A cell that raised; ``number`` counts all cells of the source notebook from 1."""

    def __init__(self, name: str, partial: Path, error: str, value: str) -> None:
        self.number, source = _last_started(partial)
        self.error, self.value = error, value
        first = next((line.strip() for line in source.splitlines() if line.strip()), "")
        text = " ".join(value.split())  # one line, whatever the exception says
        super().__init__(f"{name}: cell {self.number} ({first:.60}) failed with {error}: {text}", partial)


class KernelDied(RunFailed):
    """A kernel that could not start, or ended by itself: out of memory, killed, crashed."""


def run(notebook: Path, given: Mapping[str, Any], to: Path, say: Say = print) -> Path:
    """Execute a notebook and leave it in a folder with its record.

    Args:
        notebook: the source, which stays as it is.
        given: parameters that differ from their defaults, as values; the others are not injected.
        to: the folder for ``<name>.<profile>.ipynb`` and ``.json``.
        say: takes each line of progress.

    Returns:
        The record's path.

    Raises:
        ParameterError, NotebookError: before any kernel starts.
        RunFailed: a cell raised, the kernel died, or the notebook shows no record.
        KeyboardInterrupt: the partial notebook is kept.
    """
    source = notebooks.load(notebook)
    everything = parameters.complete(parameters.read(source), given)
    profile = everything["profile"]
    finished = to.resolve() / f"{notebook.stem}.{profile}.ipynb"
    partial = finished.with_suffix(".partial.ipynb")
    made_with = provenance.made_with()  # now: the tree may change during a long run
    started = time.monotonic()
    executed = _execute(notebook, {"profile": profile, **given}, partial, say)
    seconds = time.monotonic() - started
    try:
        result = notebooks.with_outputs(source, executed, keep_injected=True)
        shown = {name: _short(value) for name, value in everything.items()}
        text = record.dumps(record.build(result, notebook.stem, profile, shown, seconds, made_with))
    except (record.RecordError, notebooks.NotebookError) as error:
        raise RunFailed(f"{notebook.stem}: {error}", partial) from None
    written = finished.with_suffix(".json")
    written.unlink(missing_ok=True)
    notebooks.save(result, finished)
    paths.write_atomic(written, text)
    partial.unlink(missing_ok=True)
    say(f"{finished.stem}: {len(source.cells)} cells in {spell(seconds)} -> {nearby(finished)}")
    return written


def refresh(notebook: Path, say: Say = print) -> None:
    """Execute a committed notebook at its defaults and put the outputs into it, nothing else.

    Raises:
        ParameterError, NotebookError: before any kernel starts; its default profile must be quick.
        RunFailed: see :func:`run`, or the file was edited while it ran. The notebook stays as it is.
        KeyboardInterrupt: likewise.
    """
    before = notebook.read_bytes()
    source = notebooks.load(notebook)
    profile = parameters.read(source)["profile"].default
    if profile != "quick":
        raise parameters.ParameterError(f"parameter 'profile' is committed as '{profile}', not as 'quick'")
    partial = paths.ROOT / "runs" / f"{notebook.stem}.committed.partial.ipynb"
    started = time.monotonic()
    executed = _execute(notebook, {}, partial, say)
    try:
        result = notebooks.with_outputs(source, executed, keep_injected=False)
        record.bundle(result)
    except (record.RecordError, notebooks.NotebookError) as error:
        raise RunFailed(f"{notebook.stem}: {error}", partial) from None
    if notebook.read_bytes() != before:
        raise RunFailed(f"{notebook.stem} was edited while it ran and is left as it is", partial)
    notebooks.save(result, notebook)
    partial.unlink(missing_ok=True)
    say(f"{notebook.stem}: {len(source.cells)} cells in {spell(time.monotonic() - started)}, in place")


def spell(seconds: float) -> str:
    """A duration as people say it: 58 s, 10 min, 5.6 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _execute(notebook: Path, values: Mapping[str, Any], partial: Path, say: Say) -> NotebookNode:
    """The executed notebook; papermill saves it to ``partial`` after each cell and every 30 s."""
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError

    partial.parent.mkdir(parents=True, exist_ok=True)
    watched = sys.stderr.isatty()
    lines = ProgressLines(_above_bar if watched else say)
    try:
        with _environment():
            executed = papermill.execute_notebook(
                _literal(notebook.resolve()),
                _literal(partial),
                parameters=dict(values),
                kernel_name="python3",
                language="python",
                extra_arguments=["--log-level=CRITICAL"],  # the kernel: it warns of local ports, and of Ctrl-C
                cwd=str(paths.repository()),
                progress_bar={"desc": notebook.stem, "leave": False} if watched else False,
                stdout_file=lines,
                iopub_timeout=60,  # nbclient's 4 s end a run on a busy machine that shows a large figure
            )
    except papermill.PapermillExecutionError as error:
        raise CellFailed(notebook.stem, partial, error.ename, error.evalue) from None
    except (DeadKernelError, NoSuchKernel, papermill.PapermillException) as error:
        number, _ = _last_started(partial)
        when = f"died in cell {number}" if number else "did not start"
        raise KernelDied(f"{notebook.stem}: the kernel {when} ({error})", partial) from None
    except KeyboardInterrupt:
        # nbclient leaves a task behind whose kernel is gone, and asyncio would print its traceback at the end.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        raise
    if executed.metadata.papermill.get("exception"):  # sys.exit(0): papermill stops and calls it success
        raise CellFailed(notebook.stem, partial, "SystemExit", "0")
    return executed


def _last_started(partial: Path) -> tuple[int, str]:
    """Number and source of the last cell that began, as the source notebook counts them."""
    cells = notebooks.load(partial).cells if partial.exists() else []
    cells = [cell for cell in cells if ERROR_MARKER not in cell.metadata.get("tags", [])]
    begun = [n for n, cell in enumerate(cells, 1) if cell.metadata.get("papermill", {}).get("start_time")]
    return (begun[-1], cells[begun[-1] - 1].source) if begun else (0, "")


class ProgressLines:
    """The file that papermill writes a kernel's output to: passes on whole lines beginning with ``· ``."""

    def __init__(self, say: Say) -> None:
        self.say, self.rest = say, ""

    def write(self, text: str) -> None:
        """Take a piece of output; pieces need not end where lines do."""
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            if line.startswith("· "):
                self.say(line)

    def flush(self) -> None:
        """Nothing is held back but an unfinished line."""


def _above_bar(line: str) -> None:
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)


@contextmanager
def _environment() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _literal(path: Path) -> str:
    return str(path).replace("{", "{{").replace("}", "}}")  # papermill formats paths as templates


def _short(value: Any) -> Any:
    return notebooks.without_paths(value) if isinstance(value, str) else value


def nearby(path: Path) -> str:
    """A path as the shell would name it: relative if below the working folder."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
