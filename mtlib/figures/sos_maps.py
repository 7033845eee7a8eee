"""Fig. 6 of SOS: which attributes go together, in the labels and in what models predict."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy import ndarray

from mtlib.claims import interval
from mtlib.figures import GREY, Drawing, new
from mtlib.figures.dots import Values, counted, key, known, limits, look, spread

STAGGERED = 20  # names that one column has room for
MOVES = 0.3  # what a correlation of predictions may move between machines, on average
UNKNOWN = "#B8B8B8"  # the cells of an attribute that a model never predicts, or always


def maps(
    truth: Mapping[str, ndarray],
    predicted: Mapping[str, Mapping[str, ndarray]],
    names: Sequence[str],
    order: Sequence[int],
    stamp: str,
) -> Drawing:
    """The correlation matrices: a row for each kind, the truth in the first column, then the models.

    Args:
        truth: {"plain": (n, n), "balanced": (n, n)}, of the labels.
        predicted: {model: the same of its predictions}; NaN where an attribute is predicted for all or for none.
        names: of the n attributes.  order: of them, relatives side by side.
        stamp: what the runs were.

    Raises:
        ValueError: a map that is not (n, n), or an order that is none of n attributes.
    """
    _check(truth, predicted, len(names))
    if sorted(order) != list(range(len(names))):
        raise ValueError(f"maps: order holds each of 0 to {len(names) - 1} once, got {list(order)}")
    kinds, at = list(truth), np.ix_(order, order)
    columns = {"labels": truth} | dict(predicted)
    shown = {(kind, name): _blank(np.asarray(of[kind], float)[at]) for kind in kinds for name, of in columns.items()}
    most = max(float(np.nanmax(np.abs(matrix), initial=0)) for matrix in shown.values())
    most = max(0.1, np.ceil(10 * most) / 10)
    figure = new(3.0 * len(columns) + 4.4, 3.25 * len(kinds) + 0.7)
    axes = figure.subplots(len(kinds), len(columns), squeeze=False)
    for row, kind in zip(axes, kinds, strict=True):
        for ax, (name, of) in zip(row, columns.items(), strict=True):
            image = _matrix(ax, shown[kind, name], most)
            ax.set_title(f"{name}, {kind}", loc="center")
            if lost := _lost(shown[kind, name]):
                ax.set_xlabel(f"hatched: {lost} {'constant' if of is truth else 'not predicted'}", fontsize=11)
        stagger(row[0], [names[k] for k in order])
    figure.colorbar(image, ax=axes, shrink=0.7, aspect=30, label="correlation of two attributes")
    lost = {name: max(_lost(shown[kind, name]) for kind in kinds) for name in predicted}
    gone = [f"{name} {count}" for name, count in lost.items() if count]
    apart = {kind: distances(truth[kind], {name: of[kind] for name, of in predicted.items()}) for kind in kinds}
    texts = [f"{kind}: {_ranking(found)}" for kind, found in apart.items()]
    return Drawing(
        "correlation-maps",
        figure,
        {f"labels, {kind}": np.nan_to_num(shown[kind, "labels"]) for kind in kinds}
        | {f"{name}, {kind}": np.nan_to_num(shown[kind, name]) for name in predicted for kind in kinds},
        f"Square maps of {len(names)} attributes, relatives side by side: rows {' and '.join(kinds)}, columns "
        f"{', '.join(columns)}. Orange-brown: two attributes go together; violet: they exclude each other; white: "
        "neither. The diagonal is left out."
        + (f" Hatched grey: attributes that a model gives to no face or to all ({', '.join(gone)})." if gone else ""),
        f"{stamp}: distance to the labels' map (root mean square, over the pairs that every model predicts), "
        f"{'; '.join(texts)}.",
        trained={f"{name}, {kind}": MOVES for name in predicted for kind in kinds},
    )


def _check(truth: Mapping[str, ndarray], predicted: Mapping[str, Mapping[str, ndarray]], n: int) -> None:
    for name, of in {"labels": truth, **predicted}.items():
        for kind in truth:
            if kind not in of or np.shape(of[kind]) != (n, n):
                found = np.shape(of[kind]) if kind in of else "nothing"
                raise ValueError(f"maps: {name} needs a {kind} map of ({n}, {n}), got {found}")


def _blank(matrix: ndarray) -> ndarray:
    """The diagonal, which is 1 whatever happens, becomes 0: white. NaN stays."""
    matrix = matrix.copy()
    np.fill_diagonal(matrix, 0)
    return matrix


def _lost(matrix: ndarray) -> int:
    """Attributes of which nothing off the diagonal is known."""
    return int((np.isnan(matrix).sum(1) >= len(matrix) - 1).sum())


def _matrix(ax: Axes, matrix: ndarray, most: float) -> AxesImage:
    n = len(matrix)
    ax.set_facecolor(UNKNOWN)
    ax.patch.set(hatch="////", edgecolor="white", linewidth=0)
    steps = 2 * round(10 * most) + 1  # of 0.1, the middle one around zero: few colours, which the file keeps exactly
    image = ax.imshow(
        np.ma.masked_invalid(matrix), colormaps["PuOr_r"].resampled(steps), vmin=-most - 0.05, vmax=most + 0.05
    )
    ax.set(xticks=[], yticks=[], xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5))
    ax.spines[["top", "right"]].set_visible(True)
    return image


def stagger(ax: Axes, names: Sequence[str], size: float = 9.5, title: str = "") -> None:
    """A name for every row, in two columns, so that it may be twice as large as a row is high; a title beside them."""
    rows, labels = range(len(names)), [name.replace("_", " ") for name in names]
    step = 2 if len(names) > STAGGERED else 1
    ax.set_yticks(rows[::step], labels[::step])
    if step == 2:
        ax.set_yticks(rows[1::2], labels[1::2], minor=True)
    for which, away in (("major", 1), ("minor", 13.5)):
        ax.tick_params(axis="y", which=which, length=away * size, pad=1, width=0.6, color=GREY, labelsize=size)
    if title:
        left = (-size * (23.5 if len(names) > STAGGERED else 13), 0)
        middle = {"xy": (0, 0.5), "xycoords": "axes fraction", "textcoords": "offset points", "rotation": 90}
        ax.annotate(title, xytext=left, ha="center", va="center", **middle)


def distances(truth: ndarray, predicted: Mapping[str, ndarray]) -> dict[str, float]:
    """Root mean square of model minus truth over the pairs that every model and the truth know; empty without any."""
    above = np.triu_indices(len(truth), 1)
    gaps = {name: (np.asarray(matrix, float) - truth)[above] for name, matrix in predicted.items()}
    everywhere = np.all([np.isfinite(gap) for gap in gaps.values()], axis=0) if gaps else np.zeros(0, bool)
    return {name: float(np.sqrt((gap[everywhere] ** 2).mean())) for name, gap in gaps.items() if everywhere.any()}


def _ranking(found: Mapping[str, float]) -> str:
    if not found:
        return "no pair that all predict"
    return ", ".join(f"{name} {found[name]:.3f}" for name in sorted(found, key=found.get))


def ranked(
    truth: Mapping[str, ndarray],
    predicted: Mapping[str, Mapping[str, ndarray]],
    names: Sequence[str],
    kind: str = "plain",
    n: int = 8,
) -> pd.DataFrame:
    """The pairs of attributes for which a model's map is furthest from the truth.

    Args:
        truth, predicted, names: as ``maps`` takes them.  kind: one of them.  n: rows.

    Returns:
        Columns pair, labels, one per model, furthest (the model of the largest gap, by which rows are sorted); NaN
        where a model does not predict one of the pair.

    Raises:
        ValueError: no model, no such kind, or a map that is not (n, n).
    """
    if not predicted or kind not in truth:
        raise ValueError(f"ranked: {kind!r} of {list(truth)}, and one model or more; got {list(predicted)}")
    _check({kind: truth[kind]}, predicted, len(names))
    i, j = np.triu_indices(len(names), 1)
    true = np.asarray(truth[kind], float)[i, j]
    models = {name: np.asarray(of[kind], float)[i, j] for name, of in predicted.items()}
    gaps = np.nan_to_num(np.abs(np.stack(list(models.values())) - true), nan=-1.0)  # models, pairs
    first = [k for k in np.argsort(-gaps.max(0), kind="stable")[:n] if gaps[:, k].max() >= 0]
    rows = [
        {"pair": f"{names[i[k]]} – {names[j[k]]}".replace("_", " "), "labels": true[k]}
        | {name: values[k] for name, values in models.items()}
        | {"furthest": list(models)[gaps[:, k].argmax()]}
        for k in first
    ]
    return pd.DataFrame(rows, columns=["pair", "labels", *models, "furthest"])


def closeness(found: Mapping[str, Mapping[str, Values]], stamp: str) -> Drawing:
    """How far each model's map is from the generating one, a panel for each kind.

    Args:
        found: {model: {"plain": [root mean square distance of every seed], "balanced": [...]}}, seeds in one order;
            None or NaN where missing. Lists of different lengths are not compared seed by seed.
        stamp: what the runs were.
    """
    kinds = list(next(iter(found.values()), {}))
    figure = new(12, 1.9 + 0.55 * len(found))
    axes = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    means, texts = {}, []
    for ax, kind in zip(axes, kinds, strict=True):
        groups = {model: known(by[kind]) for model, by in found.items()}
        ax.set_xlim(0, limits(groups.values(), 0)[1])
        for y, (model, values) in enumerate(groups.items()):
            spread(ax, y, values, *look(model, found))
        ax.set(title=f"{kind}, {counted(v for v in groups.values() if v)}", ylim=(len(found) - 0.5, -0.6))
        ax.set(xlabel="distance to the generating map (rms)")
        ax.grid(axis="x", alpha=0.3)
        means |= {(model, kind): sum(values) / len(values) for model, values in groups.items() if values}
        texts.append(f"{kind}, {_nearest({m: by[kind] for m, by in found.items()})}")
    axes[0].set_yticks(range(len(found)), list(found))
    key(figure, colour=GREY)
    return Drawing(
        "closeness",
        figure,
        {"means": list(means.values())},
        f"Panels {' and '.join(kinds)}, a row for each of {', '.join(found)}: root mean square distance between the "
        "map of a model's predictions and the generating one; small marks are seeds, large ones means, bars 95 % "
        "intervals. Zero, at the left, is the generating map itself.",
        f"{stamp}: {'; '.join(texts)}.",
        trained={"means": MOVES},
    )


def _nearest(by: Mapping[str, Values]) -> str:
    """Which model is nearest, and by how much the next is further, seed by seed."""
    means = {model: float(np.mean(known(values))) for model, values in by.items() if known(values)}
    order = sorted(means, key=means.get)
    if len(order) < 2:
        return f"{order[0]} alone was run ({means[order[0]]:.3f})" if order else "nothing was run"
    first, second = order[:2]
    same = len(by[first]) == len(by[second])
    both = [pair for pair in zip(by[first], by[second], strict=True) if len(known(pair)) == 2] if same else []
    text = f"{first} is nearest ({means[first]:.3f}), then {second} ({means[second]:.3f})"
    if len(both) < 2:
        return text
    gap = interval([theirs - mine for mine, theirs in both])
    verdict = "further" if gap.low > 0 else "not clearly further"
    return f"{text}, {verdict} seed by seed ([{gap.low:+.3f}, {gap.high:+.3f}])"
