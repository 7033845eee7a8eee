"""The linear playground as a table: every method on every split, kept in files, and what that says."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import torch

from mtlib.experiments import jobs, school, school_data
from mtlib.metrics.intervals import interval

OVERLAP = 1 / 3  # test pupils per training pupil, see ``interval``
STEPS = (  # whose differences claims are about
    ("complete graph", "alone"),
    ("graph", "complete graph"),
    ("low rank + sparse", "alone"),
)
# Fig. 7 on School: one weight is varied, the others stay where they are good.
CURVES: dict[str, tuple[tuple[float, ...], Callable[..., school.Found]]] = {
    "ξ": ((1e-3, 1e-2, 1e-1, 1.0, 10.0), lambda data, x: school.learned(data, x, 1.0)),
    "γ": ((1e-4, 1e-3, 1e-2, 1e-1, 1.0), lambda data, x: school.low_rank(data, 2, x, 1e-4)),
    "λ": ((1e-5, 1e-4, 1e-3, 1e-2, 1e-1), lambda data, x: school.low_rank(data, 2, 1e-3, x)),
}
Rows = Sequence[Mapping]


def run(
    splits: Sequence[int],
    folder: Path,
    dataset: school_data.Kind = "auto",
    root: str | None = None,
    *,
    few: bool = False,
    workers: int = 1,
    advance: jobs.Advance = jobs.nothing,
) -> list[dict]:
    """A row per method and split: "split", "data" and what ``school.tuned`` tells; from their files where they are.

    Args:
        splits: 0 to 9.  folder: where splits leave their files.  dataset, root: see ``school_data.load``.
        few: try few settings, see ``school.settings``.
        workers: processes of one thread each.  advance: told the settings done, ``total(1, few)`` for each split.
    """
    name = school_data.load(splits[0], dataset, root).name  # before any work: is it there?
    kind = "stand-in" if name == school_data.STAND_IN else "real"
    job = partial(run_split, folder=folder, dataset=kind, root=root, few=few)
    rows = jobs.run_all(list(splits), job, lambda split: total(1, few), workers, advance)
    return sorted(rows, key=lambda row: (splits.index(row["split"]), school.METHODS.index(row["method"])))


def total(splits: int, few: bool = False) -> int:
    """Settings that are tried on so many splits."""
    return splits * len(list(school.settings(few)))


def run_split(
    split: int,
    folder: Path,
    dataset: school_data.Kind,
    root: str | None,
    few: bool = False,
    advance: jobs.Advance = jobs.nothing,
) -> list[dict]:
    """The rows of one split, from its file if it is done."""
    choices = [(method, choice) for method, _, choice in school.settings(few)] + [
        values for values, _ in CURVES.values()
    ]
    path = folder / f"school-{jobs.digest(dataset, split, choices, school.ROUNDS, school.STEPS)}.json"
    if path.exists():
        advance(total(1, few))

    def make() -> list[dict]:
        torch.set_num_threads(1)
        data = school_data.load(split, dataset, root)
        varied = curves(data, few)
        return [
            {"split": split, "data": data.name, "curves": varied} | row for row in school.tuned(data, advance, few=few)
        ]

    return jobs.once(path, make)


def curves(data: school_data.Playground, few: bool = False) -> dict[str, list[tuple[float, float]]]:
    """Fig. 7: {weight: (value, explained variance of the pupils kept apart), ...} for ``CURVES``, or some of them."""
    return {
        name: [(value, data.choose.explained(solve(data.fit, value)[0])) for value in values[:: 2 if few else 1]]
        for name, (values, solve) in CURVES.items()
    }


def varied(rows: Rows) -> dict[str, dict[float, list[float]]]:
    """{weight: {value: explained variance per split}}."""
    found: dict[str, dict[float, list[float]]] = {name: {} for name in CURVES}
    for curve in {row["split"]: row["curves"] for row in rows}.values():
        for name, points in curve.items():
            for value, score in points:
                found[name].setdefault(value, []).append(score)
    return found


def explained(rows: Rows) -> dict[str, list[float]]:
    """{method: per cent of the scores' variance that is explained, per split}."""
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row["method"], []).append(row["explained"])
    return found


def samples(rows: Rows) -> dict[str, list[float]]:
    """Every estimate about School that mtfap.toml asks for, one value per split."""
    by = explained(rows)
    return {
        f"school/{first}-{second}": [a - b for a, b in zip(by[first], by[second], strict=True)]
        for first, second in STEPS
    }


def table(rows: Rows) -> pd.DataFrame:
    """A line per method: explained variance, difference to "alone" with its interval, the settings chosen most."""
    by, lines = explained(rows), {}
    for method, values in by.items():
        own = [row for row in rows if row["method"] == method]
        chosen = pd.Series([str(tuple(row["settings"][:2])) for row in own]).mode()[0]
        gains = [a - b for a, b in zip(values, by["alone"], strict=True)]
        lines[method] = {
            "n": len(values),
            "explained (%)": f"{sum(values) / len(values):.1f}",
            "to alone": "–" if method == "alone" or len(gains) < 2 else str(interval(gains, overlap=OVERLAP)),
            "settings": chosen,
        }
    return pd.DataFrame(lines).T
