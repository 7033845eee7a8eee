"""The figures of notebook 01: semantically orthogonal spaces on the toy plane."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mtlib import claims, toy
from mtlib.experiments import sos_toy
from mtlib.figures import BLACK, BLUE, GREEN, GREY, ORANGE, PINK, RED, SKY, Drawing, new, square
from mtlib.method import Method

# Joint classes of two tasks: (colour, marker, size, name). Shape and colour both tell them apart.
JOINT = {  # in the order of drawing: what belongs to one task only is never covered
    (0, 0): ("#9A9A9A", ".", 12, "neither"),
    (1, 1): (ORANGE, "o", 7, "both"),
    (1, 0): (GREEN, "^", 7, "task 1 only"),
    (0, 1): (BLUE, "s", 5, "task 2 only"),
}
MODEL = {"ST": (GREEN, "^"), "MT": (BLUE, "s"), "SOS": (RED, "o")}


def plane(ax: Axes, x: torch.Tensor, y: torch.Tensor) -> None:
    """Points x (n, 2) with labels y (n, 2) in {0, 1}, one colour and marker per joint class."""
    for joint, (colour, marker, size, name) in JOINT.items():
        at = (y == torch.tensor(joint)).all(1)
        ax.scatter(*x[at].T.numpy(), c=colour, marker=marker, s=size, label=name, linewidths=0)


def ten_sets(points: int = 1000, seed: int = 0) -> Drawing:
    """Fig. 4: the ten sets of Table I."""
    figure = new(10, 5.4)
    axes = figure.subplots(2, 5)
    overlaps, shares = [], []
    for number, ax in zip(toy.SETS, axes.flat, strict=True):
        split = toy.make(number, n_train=points, seed=seed).train
        plane(square(ax, labels=False), split.x, split.y["toy"])
        overlaps.append(toy.overlap(number, 200_000))
        shares.append(split.y["toy"].double().mean(0).tolist())
        ax.set_title(f"set {number}   overlap {overlaps[-1]:.2f}")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, markerscale=2.5)
    strong = [str(n) for n, v in zip(toy.SETS, overlaps, strict=True) if v > 0.25]
    return Drawing(
        "ten-sets",
        figure,
        {"overlap": overlaps, "share of positives": shares},
        "Ten square panels of points, one per toy set. Bands along cosines and rings; orange discs mark points "
        f"positive for both tasks. They fill large areas only in sets {', '.join(strong)}.",
        f"The two tasks overlap strongly in sets {', '.join(strong)} only: as the caption of the printed figure "
        "says, not as its text does.",
    )


def cancellation(norms: Mapping[str, tuple[float, float]]) -> Drawing:
    """Gradient norms of (6) + (7) under four settings of the stop-gradients (S-5).

    Args:
        norms: {setting: (norm over trunk and spaces, norm over fake heads)}.
    """
    figure = new(10, 3.6)
    axes = figure.subplots(1, 2, sharey=True)
    places = np.arange(len(norms))
    for ax, side, colour, name in zip(axes, (0, 1), (SKY, PINK), ("trunk and spaces", "fake heads"), strict=True):
        values = [pair[side] for pair in norms.values()]
        ax.barh(places, values, color=colour, edgecolor=BLACK, height=0.6)
        for place, value in zip(places, values, strict=True):
            ax.text(value, place, "  exactly 0" if value == 0 else f"  {value:.1e}", va="center")
        ax.set(title=f"reaching the {name}", xlabel="norm of the gradient of (6) + (7)")
        ax.set(xlim=(0, 1.35 * max(max(values), 1e-12)), xticks=[])  # the bars carry their values
    axes[0].set_yticks(places, norms)
    axes[0].invert_yaxis()
    return Drawing(
        "cancellation",
        figure,
        {"gradient norms": list(norms.values())},
        "Two bar charts of gradient norms for four settings of the stop-gradients. Without any stop both bars are "
        "exactly zero; with both stops both sides receive a gradient.",
        "Added into one loss without stop-gradients, (6) and (7) cancel to exactly nothing: neither side learns from "
        "the game. One stop alone silences one side.",
    )


def decision_maps(kept: Mapping[tuple[int, str], Method], seed: int, steps: int) -> Drawing:
    """The models' decisions (rows) per set and task (columns), with the true outline."""
    sets = list(dict.fromkeys(number for number, _ in kept))
    models = list(dict.fromkeys(model for _, model in kept))
    columns = [(number, task) for number in sets for task in (0, 1)]
    figure = new(10, 0.8 + 2.6 * len(models))
    axes = figure.subplots(len(models), len(columns), squeeze=False)
    agreement = np.zeros((len(models), len(columns)))
    for column, (number, task) in enumerate(columns):
        truth = truth_map(toy.templates(number))[task]
        for row, model in enumerate(models):
            found = sos_toy.decision_map(kept[number, model])[task]
            draw_map(axes[row, column], found, truth)
            yes, true = found > 0.5, truth > 0.5
            agreement[row, column] = (yes & true).sum() / (yes | true).sum()
            head = f"set {number}, task {task + 1}\n" if row == 0 else ""
            axes[row, column].set_title(f"{head}{model}: IoU {agreement[row, column]:.2f}")
    figure.legend(*map_key(), loc="outside lower center", ncols=3)
    hardest = int(agreement.max(0).argmin())
    number, task = columns[hardest]
    return Drawing(
        "decision-maps",
        figure,
        {"IoU with truth": agreement},
        f"Grid of square maps for sets {' and '.join(map(str, sets))}: the probability that {', '.join(models)} give "
        "(dark is yes, dashed is one half), with the true outline of each task's region drawn over it.",
        f"After {steps} updates (one network each, seed {seed}) the hardest is task {task + 1} of set {number}: the "
        f"best intersection over union (IoU) of answer and truth is {agreement[:, hardest].max():.2f}. One run; the "
        "intervals below say what repeats.",
        trained={"IoU with truth": 0.15},
    )


def map_key() -> tuple[list, list[str]]:
    """Handles and texts that explain a decision map."""
    handles = [
        Patch(facecolor="#2171B5"),
        Line2D([], [], color=BLACK, linestyle="--"),
        Line2D([], [], color=RED, lw=1.4),
    ]
    return handles, ["answers yes", "probability one half", "true outline"]


def truth_map(pair: tuple[toy.Template, toy.Template], cells: int = 120) -> torch.Tensor:
    """The labels on the grid of ``sos_toy.decision_map``: (2, cells, cells) of 0 and 1."""
    return toy.labels(pair, sos_toy.grid(cells)).T.reshape(2, cells, cells).double()


def draw_map(ax: Axes, probability: torch.Tensor, truth: torch.Tensor) -> None:
    """A probability map (cells, cells) with the true outline; rows count upwards from X1 = -1."""
    square(ax, labels=False)
    extent = (-1, 1, -1, 1)
    ax.imshow(probability.numpy(), origin="lower", extent=extent, cmap="Blues", vmin=0, vmax=1)
    if probability.min() < 0.5 < probability.max():
        ax.contour(probability.numpy(), levels=[0.5], extent=extent, colors=BLACK, linewidths=1, linestyles="--")
    ax.contour(truth.numpy(), levels=[0.5], extent=extent, colors=RED, linewidths=1.4)


def seed_clouds(scores: pd.DataFrame, printed: pd.DataFrame, stamp: str) -> Drawing:
    """Every run, the mean with its 95 % interval, and the printed value, per set, model and column."""
    sets, models = list(scores["set"].unique()), list(scores["model"].unique())
    figure = new(10, 1.2 + 2.9 * len(sets))
    axes = figure.subplots(len(sets), 3, sharex=True, sharey="row", squeeze=False)
    means = []
    for row, number in enumerate(sets):
        for ax, column in zip(axes[row], sos_toy.COLUMNS, strict=True):
            for place, model in enumerate(models):
                mine = (scores["set"] == number) & (scores["model"] == model)
                theirs = (printed["set"] == number) & (printed["model"] == model)
                means.append(_cloud(ax, place, scores.loc[mine, column].tolist(), model))
                ax.plot(place + 0.3, printed.loc[theirs, column].item(), "x", color=BLACK, ms=9, mew=2)
            ax.set(title=f"set {number}, {column}", xlim=(-0.5, len(models) - 0.2))
            ax.set_xticks(range(len(models)), models)
            ax.grid(axis="y", alpha=0.3)
        low, high = axes[row, 0].get_ylim()  # shared by the row
        axes[row, 0].set(ylabel="test accuracy (%)", ylim=(max(low, 0), min(high, 101)))  # none lies above 100
    handles = [axes[0, 0].plot([], [], *style, **look)[0] for style, look in _KEYS]
    figure.legend(
        handles, ["one seed", "mean, 95 % interval", "printed (one run)"], loc="outside lower center", ncols=3
    )
    return Drawing(
        "seed-clouds",
        figure,
        {"means": means},
        f"Accuracy of {', '.join(models)} on each task and on average, for sets {' and '.join(map(str, sets))}: small "
        "marks are seeds, the bar is the mean with its 95 % interval, the cross is the printed value.",
        f"{stamp}: crosses are single printed runs at 50 000 updates; ours scatter from seed to seed.",
        trained={"means": 3.0},
    )


_KEYS = (
    (("o",), {"color": GREY, "ms": 7}),
    (("_",), {"color": BLACK, "ms": 14, "mew": 2.5}),
    (("x",), {"color": BLACK, "ms": 9, "mew": 2}),
)


def _cloud(ax: Axes, place: float, values: Sequence[float], model: str) -> float:
    colour, marker = MODEL[model]
    spread = np.linspace(-0.12, 0.12, len(values)) if len(values) > 1 else [0.0]
    ax.scatter(
        place + np.asarray(spread),
        values,
        color=colour,
        marker=marker,
        s=50,
        alpha=0.8,
        edgecolors=BLACK,
        linewidths=0.4,
    )
    found = claims.interval(values)
    ax.errorbar(place, found.mean, [[found.mean - found.low], [found.high - found.mean]], color=BLACK, capsize=5, lw=2)
    ax.plot(place, found.mean, "_", color=BLACK, ms=14, mew=2.5)
    return found.mean


def differences(found: Mapping[str, Mapping[str, claims.Interval]], printed: pd.DataFrame) -> Drawing:
    """Paired differences between models with 95 % intervals, the printed values beside them.

    Args:
        found: {what they come from: {"set 8/MT-ST": interval, ...}}, one or two of them with the same keys.
    """
    keys = list(next(iter(found.values())))
    figure = new(10, 1.4 + 0.6 * len(keys))
    ax = figure.subplots()
    theirs = [_printed_difference(key, printed) for key in keys]
    looks = ((BLUE, "o"), (ORANGE, "s"))
    for shift, (colour, marker), intervals in zip((-0.14, 0.14), looks, found.values(), strict=False):
        for place, key in enumerate(keys):
            one = intervals[key]
            ax.plot([one.low, one.high], [place + shift] * 2, color=colour, lw=3, solid_capstyle="butt")
            ax.plot(one.mean, place + shift, marker, color=colour, ms=6, markeredgecolor=BLACK)
    ax.plot(theirs, range(len(keys)), "x", color=BLACK, ms=9, mew=2)
    ax.axvline(0, color=GREY, lw=1)
    ax.set_yticks(range(len(keys)), [key.replace("/", ":  ").replace("-", " − ") for key in keys])
    ax.invert_yaxis()
    ax.set_xlabel("difference of average accuracy (points)")
    ax.grid(axis="x", alpha=0.3)
    names = [f"{source}: mean, 95 % interval" for source in found]
    handles = [ax.plot([], [], marker, color=colour, ms=8)[0] for colour, marker in looks[: len(names)]]
    handles += ax.plot([], [], "x", color=BLACK, ms=9, mew=2)
    figure.legend(handles, [*names, "printed (one run)"], loc="outside lower center", ncols=3)
    last, intervals = list(found.items())[-1]
    unclear = sum(one.low <= 0 <= one.high for one in intervals.values())
    return Drawing(
        "differences",
        figure,
        {**{source: [one[key].mean for key in keys] for source, one in found.items()}, "printed": theirs},
        "Horizontal intervals of paired accuracy differences between models, a vertical line at zero, and crosses at "
        "the printed differences.",
        f"An interval that holds zero does not say which model is better. In the {last}, that holds for "
        f"{unclear} of {len(keys)} differences.",
        trained=dict.fromkeys(found, 3.0),
    )


def _printed_difference(key: str, printed: pd.DataFrame) -> float:
    number, pair = key.removeprefix("set ").split("/")
    table = printed[printed["set"] == int(number)].set_index("model")["average"]
    first, second = pair.split("-")
    return round(float(table[first] - table[second]), 6)
