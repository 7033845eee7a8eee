"""All finished runs of a folder as one page that needs nothing else: no network, no scripts, no files."""

import os
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from nbformat import NotebookNode

from mtlib import mime, paths
from mtlib.runs import notebooks, record

# A word, a symbol and a colour say the same, so that no reader depends on one of them.
SYMBOLS = {
    "reproduced": "✔",
    "partly": "◐",
    "not reproduced": "✘",
    "undecided": "?",
    "not testable here": "–",
}
PROFILES = ("smoke", "quick", "standard", "paper")


def write(folder: Path) -> Path:
    """Write ``report.html`` from every record in a folder that has its notebook beside it.

    A damaged record, or one without its notebook, is named in the report instead of shown.

    Raises:
        RecordError: there is no finished run in the folder.
    """
    runs, notes = [], []
    for path in sorted(folder.glob("*.json"), key=_course_order):
        try:
            runs.append(_run(path))
        except (record.RecordError, notebooks.NotebookError) as error:
            notes.append(str(error).replace(f"{folder}{os.sep}", ""))
    for path in sorted(folder.glob("*.partial.ipynb")):
        notes.append(f"{path.name} is the beginning of a run that failed, was stopped, or still goes on")
    if not runs:
        raise record.RecordError("; ".join([f"no finished run in {folder}", *notes]))
    target = folder / "report.html"
    paths.write_atomic(target, _template().render(runs=runs, notes=notes, symbols=SYMBOLS))
    return target


def _course_order(path: Path) -> tuple[str, int, str]:
    name, _, profile = path.stem.rpartition(".")
    return name, PROFILES.index(profile) if profile in PROFILES else len(PROFILES), profile


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["words"] = words
    return environment.from_string(resources.files(__package__).joinpath("report.html.j2").read_text("utf-8"))


def _run(path: Path) -> dict[str, Any]:
    """What the template shows of one run."""
    kept = record.read(path)
    notebook = notebooks.load(path.with_suffix(".ipynb"))
    return {
        "title": notebooks.title(notebook) or kept["notebook"],
        "anchor": path.stem,
        "record": kept,
        "facts": [
            *((key, kept[key]) for key in ("profile", "parameters", "seeds", "data", "commit")),
            *((key, kept[key]) for key in ("versions", "hardware", "seconds")),
        ],
        "figures": list(_figures(notebook)),
        "metrics": list(leaves(kept["metrics"])),
    }


def _figures(notebook: NotebookNode) -> Iterator[dict[str, str]]:
    for number, data in notebooks.displays(notebook, "image/png"):
        figure = data.get(mime.FIGURE, {})
        yield {
            "png": "".join(data["image/png"].split()),
            "alt": figure.get("alt") or f"Figure of cell {number}, not described",
            "finding": figure.get("finding") or "",
        }


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Nested dicts as pairs of a dotted name and the value in words."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{name}.{key}" if name else key)
    else:
        yield name, words(value)


def words(value: Any) -> str:
    """A plain JSON value as a reader wants it: no braces, numbers at six digits."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return "; ".join(f"{key}: {words(inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, list):
        return _consecutive(value) or ", ".join(words(inner) for inner in value) or "none"
    return str(value) if value != "" else "none"


def _consecutive(values: list[Any]) -> str | None:
    """``0 to 39`` for many seeds in a row."""
    if len(values) < 4 or any(type(value) is not int for value in values):
        return None
    return f"{values[0]} to {values[-1]}" if values == list(range(values[0], values[-1] + 1)) else None
