"""Do the committed notebooks still say what their code computes? Figures by arrays, records by content.

An array of kind ``exact`` may differ in each element by its tolerance times the committed array's
largest magnitude (at least ``FLOOR``, for arrays of zeros and rounding); one of kind ``trained`` by its
tolerance on average, since training amplifies the last bits of another machine.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from nbformat import NotebookNode

from mtlib import mime, paths
from mtlib.figures import MOST
from mtlib.runs import execute, notebooks, record

FLOOR = 1e-8  # single precision leaves about this much where terms cancel
STABLE = ("n", "verdict", "rule")  # what a claim must say again on any machine


def verify(names: Sequence[str] | None = None, say: Callable[[str], None] = print) -> list[str]:
    """Re-execute committed notebooks into ``runs/verify/`` and compare; names default to all.

    Returns:
        The differences, each a line that begins with its notebook; empty is good.

    Raises:
        NotebookError, ParameterError: an unknown or unreadable notebook, or none at all.
        RunFailed: one does not run.
    """
    differences = []
    for path in notebooks.choose(names or ["all"]):
        committed = notebooks.load(path)
        written = execute.run(path, {}, paths.repository() / "runs" / "verify", say)
        found = compare(committed, notebooks.load(written.with_suffix(".ipynb")))
        figures, arrays = count(committed)
        say(f"{path.stem}: {figures} figures, {arrays} arrays compared, {len(found)} differences")
        differences += [f"{path.stem}: {line}" for line in found]
    return differences


def count(notebook: NotebookNode) -> tuple[int, int]:
    """How many figures a notebook carries, and how many arrays in them."""
    carried = [figure.get("arrays", {}) for figure in _figures(notebook).values()]
    return len(carried), sum(len(arrays) for arrays in carried)


def compare(committed: NotebookNode, fresh: NotebookNode) -> list[str]:
    """How a fresh execution differs from the committed one, a line each."""
    before, after = _figures(committed), _figures(fresh)
    lines = [] if before else ["the committed notebook carries no figures: nothing to compare"]
    lines += [f"figure {_name(key)} is missing" for key in before if key not in after]
    lines += [f"figure {_name(key)} is new" for key in after if key not in before]
    common = [key for key in before if key in after]
    if common != [key for key in after if key in before]:
        lines.append("the figures come in another order")
    for key in common:
        lines += [f"figure {_name(key)}: {line}" for line in _compare_figures(before[key], after[key])]
    return lines + list(_compare_records(committed, fresh))


def _figures(notebook: NotebookNode) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Figures by id and by how often that id came before, in order."""
    found: dict[tuple[str, int], Mapping[str, Any]] = {}
    for _, data in notebooks.displays(notebook, mime.FIGURE):
        figure = data[mime.FIGURE]
        earlier = sum(1 for name, _ in found if name == figure.get("id"))
        found[figure.get("id"), earlier] = figure
    return found


def _name(key: tuple[str, int]) -> str:
    return f"'{key[0]}'" + (f" (number {key[1] + 1})" if key[1] else "")


def _compare_figures(committed: Mapping[str, Any], fresh: Mapping[str, Any]) -> Iterator[str]:
    before, after = committed.get("arrays", {}), fresh.get("arrays", {})
    if not before:
        yield "it carries no arrays: nothing to compare"
    if before.keys() != after.keys():
        yield f"arrays {', '.join(sorted(before))} committed, {', '.join(sorted(after))} computed"
    for name in before:
        if name in after:
            problem = _compare_arrays(before[name], after[name])
            if problem:
                yield f"array '{name}': {problem}"


def _compare_arrays(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """What is wrong between two arrays; the committed one sets the tolerance."""
    for key in ("shape", "kind", "tolerance"):
        if before.get(key) != after.get(key):
            return f"{key} {before.get(key)} committed, {after.get(key)} computed"
    kind, tolerance = before.get("kind"), before.get("tolerance")
    if kind not in ("exact", "trained") or not isinstance(tolerance, int | float) or not tolerance >= 0:
        return f"kind {kind!r} with tolerance {tolerance!r} is no rule to compare by"
    try:
        old, new = (np.asarray(one["values"], dtype=float) for one in (before, after))
        expected = (min(int(np.prod(before["shape"])), MOST),)  # a large array is sampled
    except (KeyError, TypeError, ValueError):
        expected = None
    if expected is None or not old.shape == new.shape == expected:
        return f"its values do not fill the shape {before.get('shape')}"
    if not np.array_equal(np.where(np.isfinite(old), 0, old), np.where(np.isfinite(new), 0, new), equal_nan=True):
        return "NaN or infinity in other places"
    return _beyond(old[np.isfinite(old)], new[np.isfinite(new)], kind, tolerance)


def _beyond(old: np.ndarray, new: np.ndarray, kind: str, tolerance: float) -> str | None:
    if not old.size:
        return None
    apart = np.abs(old - new)
    if kind == "trained":
        allowed, found, what = tolerance, apart.mean(), "on average"
    else:
        allowed, found, what = max(tolerance * np.abs(old).max(), FLOOR), apart.max(), "at most"
    return None if found <= allowed else f"differs by {found:.3g} {what}, {allowed:.3g} allowed ({kind})"


def _compare_records(committed: NotebookNode, fresh: NotebookNode) -> Iterator[str]:
    try:
        before, after = record.bundle(committed), record.bundle(fresh)
    except record.RecordError as error:
        yield f"record: {error}"
        return
    old, new = ({claim["id"]: claim for claim in one["claims"]} for one in (before, after))
    if list(old) != list(new):
        yield f"claims {', '.join(old) or 'none'} committed, {', '.join(new) or 'none'} computed"
    for name in old.keys() & new.keys():
        for key in STABLE:
            if old[name][key] != new[name][key]:
                yield f"claim '{name}': {key} {old[name][key]} committed, {new[name][key]} computed"
    keys = set(_keys(before["metrics"])) ^ set(_keys(after["metrics"]))
    if keys:
        yield f"metrics with other keys: {', '.join(sorted(keys))}"


def _keys(value: Any, name: str = "metrics") -> Iterator[str]:
    """The path of every leaf in nested dicts and lists of dicts; a list of numbers is a leaf."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _keys(inner, f"{name}.{key}")
    elif isinstance(value, list) and any(isinstance(inner, Mapping) for inner in value):
        for number, inner in enumerate(value):
            yield from _keys(inner, f"{name}[{number}]")
    else:
        yield name
