"""Fig. 5 of SOS: accuracy against parameters, and SOS-SE against CNN8-MT attribute by attribute."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes

from mtlib.claims import interval
from mtlib.figures import BLACK, BLUE, GREY, ORANGE, Drawing, new
from mtlib.figures.dots import MODEL, Values, beyond, counted, key, known, limits, look, millions, spread

POINTS = 3.0  # points that a mean of few short runs may move between machines
MANY = 12  # attributes that fit beside two small panels
SIDES = ((1, BLUE, "o"), (0, GREY, "s"), (-1, ORANGE, "v"))  # of zero: where an interval lies, and its look


def cost(
    reported: pd.DataFrame,
    drawn: Mapping[str, tuple[float, float, Values]],
    per_attribute: Mapping[str, Values],
    stamp: str,
    pair: tuple[str, str] = ("SOS-SE", "CNN8-MT"),
    data: str = "drawn faces",
) -> Drawing:
    """Accuracy against parameters: CelebA's as printed, and ours; at the right a difference by attribute.

    Args:
        reported: columns model, accuracy (per cent), params (millions), params_unit ("M", or missing where the unit is
            not printed), as data/papers/sos_reported_params.csv. Rows without params are named, not drawn; rows
            without accuracy are left out.
        drawn: {model: (parameters for prediction, for training, [accuracy (per cent) of every seed])}.
        per_attribute: {attribute: [difference of every seed, in points]}, of the first model of ``pair`` minus the
            second; None or NaN where missing; may be empty.
        stamp: what the runs were.  data: what they were on.

    Raises:
        ValueError: ``reported`` lacks a column.
    """
    if missing := {"model", "accuracy", "params"} - set(reported.columns):
        raise ValueError(f"cost: reported lacks {sorted(missing)}; it has {list(reported.columns)}")
    gains = {name.replace("_", " "): known(values) for name, values in per_attribute.items() if known(values)}
    runs = {name: (few, many, known(values)) for name, (few, many, values) in drawn.items() if known(values)}
    tall = len(gains) > MANY
    figure = new(13 if gains else 10, 10.4 if tall else 7.6)
    layout = [["printed", "gains"], ["drawn", "gains"]] if gains else [["printed"], ["drawn"]]
    panels = figure.subplot_mosaic(layout)
    placed, unplaced = _reported(panels["printed"], reported)
    means = _drawn(panels["drawn"], runs)
    panels["drawn"].set_title(f"{data}, ours, {counted(values for *_, values in runs.values())}")
    arrays = {"printed": placed, "parameters": [run[:2] for run in runs.values()], "means": list(means.values())}
    texts = [f"{name} predicts with {_size(runs[name][0])} parameters, {mean:.1f} %" for name, mean in means.items()]
    if gains:
        arrays["gains, sorted"] = _gains(panels["gains"], gains, pair, 9.5 if tall else 12)
        above, below = beyond(gains.values())
        panels["gains"].set_title(f"{data}, ours, {counted(gains.values())}")
        texts.append(
            f"with its 95 % interval, {' minus '.join(pair)} lies above zero for {above} of {len(gains)} attributes "
            f"and below for {below} (each by itself, uncorrected)"
        )
    key(figure, colour=GREY)
    return Drawing(
        "accuracy-and-parameters",
        figure,
        arrays,
        f"Accuracy against parameters on logarithmic axes: above as printed for CelebA, below ours on {data}, each "
        "with a scale of its own. Filled marks count the parameters that predict, hollow ones also those that only "
        "training needs."
        + (f" Without a size in print, so not drawn: {unplaced}." if unplaced else "")
        + (f" At the right {' minus '.join(pair)}, one row per attribute, sorted." if gains else ""),
        f"{stamp}: {'; '.join(texts) or 'no model was run'}.",
        trained={name: POINTS for name in ("means", "gains, sorted") if name in arrays},
    )


def _reported(ax: Axes, reported: pd.DataFrame) -> tuple[list[list[float]], str]:
    """Draw what has a size and an accuracy; return those numbers, and the others as text."""
    known_ = reported[reported["accuracy"].notna()]
    sized, others = known_[known_["params"].notna()], known_[known_["params"].isna()]
    millions(ax, sized["params"], room=3)  # for the names
    for row in sized.to_dict("records"):
        unit = "params_unit" not in row or row["params_unit"] == "M"
        name, at = _name(row["model"]), (row["params"], row["accuracy"])
        colour, marker = MODEL.get(name, (GREY, "o"))
        ax.plot(*at, marker, ms=11, mec=BLACK, mfc=colour if unit else "white", ls="none")
        text = f"{name}, {row['params']:g} M" if unit else f"{name}, {row['params']:g}, no unit printed"
        ax.annotate(text, at, (0, 10), textcoords="offset points", ha="center")
    unplaced = ", ".join(f"{_name(m)} {a:.2f} %" for m, a in zip(others["model"], others["accuracy"], strict=True))
    ax.set(title="CelebA, as printed, one run each", xlabel="parameters (millions, log)", ylabel="accuracy (%)")
    ax.margins(y=0.35)
    ax.grid(alpha=0.3)
    ax.set_axisbelow(True)
    if unplaced:
        text = f"no size printed: {unplaced}"
        ax.text(0.99, 0.03, text, transform=ax.transAxes, ha="right", color="#555555", fontsize=10.5, style="italic")
    return sized[["params", "accuracy"]].to_numpy().tolist(), unplaced


def _name(model: str) -> str:
    """Without the reference's number."""
    return model.split(" [")[0]


def _drawn(ax: Axes, runs: Mapping[str, tuple[float, float, Sequence[float]]]) -> dict[str, float]:
    """Draw our models; return their mean accuracies."""
    millions(ax, [parameters / 1e6 for run in runs.values() for parameters in run[:2]])
    low, high = limits(values for *_, values in runs.values())
    ax.set_ylim(low, high)
    means = {name: sum(values) / len(values) for name, (*_, values) in runs.items()}
    handles = []
    for name, (few, many, values) in runs.items():
        colour, marker = look(name, runs)
        spread(ax, few / 1e6, values, colour, marker, upright=True, aside=0.05 * few / 1e6)
        if many > few:
            ax.plot([few / 1e6, many / 1e6], [means[name]] * 2, ":", color=colour, lw=2, zorder=1.5)
            ax.plot(many / 1e6, means[name], marker, mfc="white", mec=colour, mew=2, ms=9, zorder=3)
        handles += ax.plot([], [], marker, color=colour, ms=9, mec=BLACK, mew=1.2, label=name)
    ax.set_ylabel("accuracy (%)")
    ax.set(xlabel="parameters (millions, log); hollow: with those for training", ylim=(low, high + 0.15 * (high - low)))
    ax.legend(handles=handles, loc="upper center", ncols=len(handles) or 1, columnspacing=1, handletextpad=0.3)
    ax.grid(alpha=0.3)
    ax.set_axisbelow(True)
    return means


def _gains(ax: Axes, gains: Mapping[str, Sequence[float]], pair: tuple[str, str], size: float) -> list[float]:
    """A row per attribute, the largest mean first; returns the means."""
    means = {name: sum(values) / len(values) for name, values in gains.items()}
    order = sorted(means, key=means.get, reverse=True)
    ax.set_xlim(limits(gains.values(), 0))
    for y, name in enumerate(order):
        colour, marker = next((colour, marker) for side, colour, marker in SIDES if side == _side(gains[name]))
        spread(ax, y, gains[name], colour, marker, aside=0.3)
    ax.axvline(0, color=BLACK, lw=1.2, zorder=1)
    ax.set_yticks(range(len(order)), order, fontsize=size)
    ax.set(ylim=(len(order) - 0.4, -0.8), xlabel=f"{' minus '.join(pair)} (points)")
    ax.grid(axis="x", alpha=0.3)
    names = {1: "above zero", 0: "not decided", -1: "below zero"}
    handles = [ax.plot([], [], marker, color=colour, ms=9, mec=BLACK)[0] for _, colour, marker in SIDES]
    framed = {"frameon": True, "framealpha": 0.9, "edgecolor": "white"}
    ax.legend(handles, [names[side] for side, *_ in SIDES], loc="lower right", title="interval", **framed)
    return [means[name] for name in order]


def _side(values: Sequence[float]) -> int:
    """1 or -1 where the interval lies wholly above or below zero, else 0."""
    if len(values) < 2:
        return 0
    found = interval(values)
    return (found.low > 0) - (found.high < 0)


def _size(parameters: float) -> str:
    return f"{parameters / 1e6:.1f} million" if parameters >= 1e5 else f"{parameters:,.0f}".replace(",", " ")
