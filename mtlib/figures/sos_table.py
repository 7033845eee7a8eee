"""The figures of notebook 01b: Table I with error bars, what makes the difference, and what the spaces know."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mtlib.claims import Interval, interval, single_run
from mtlib.experiments import toy_table
from mtlib.experiments.sos_toy import DIFFERENCES as PAIRS
from mtlib.figures import BLACK, BLUE, GREEN, GREY, ORANGE, RED, SKY, Drawing, new

LOOK = {"ST": (GREEN, "^"), "MT": (BLUE, "s"), "SOS": (RED, "o"), "MT wide": (SKY, "D")}
SPREAD = 3.0  # points that a mean of few short runs may move between machines


def clouds(scores: pd.DataFrame, printed: pd.DataFrame, stamp: str) -> Drawing:
    """Every run of every set and model, the mean with its interval, and the printed value."""
    sets = list(dict.fromkeys(scores["set"]))
    models = [model for model in toy_table.MODELS if model in set(scores["arm"])]
    figure = new(12, 5.4)
    ax = figure.subplots()
    theirs = printed.set_index(["set", "model"])["average"]
    means = []
    for place, number in enumerate(sets):
        if place % 2:
            ax.axvspan(place - 0.5, place + 0.5, color=GREY, alpha=0.12, lw=0)
        for i, model in enumerate(models):
            x = place + (i - (len(models) - 1) / 2) * 0.2
            values = scores.loc[(scores["set"] == number) & (scores["arm"] == model), "average"].tolist()
            means.append(_cloud(ax, x, values, model))
            if (number, model) in theirs.index:
                ax.plot(x, theirs[number, model], "x", color=BLACK, ms=9, mew=2, zorder=4)
    ax.set_xticks(range(len(sets)), [f"set {number}" for number in sets])
    low, high = ax.get_ylim()
    ax.set(ylabel="test accuracy, mean of both tasks (%)", xlim=(-0.5, len(sets) - 0.5), ylim=(low, min(high, 101)))
    ax.grid(axis="y", alpha=0.3)
    handles = [ax.plot([], [], LOOK[m][1], color=LOOK[m][0], ms=8, mec=BLACK, mew=0.4)[0] for m in models]
    handles += [ax.plot([], [], "_", color=BLACK, ms=16, mew=2.5)[0], ax.plot([], [], "x", color=BLACK, ms=9, mew=2)[0]]
    names = [*models, "mean, 95 % interval", "printed (one run)"]
    figure.legend(handles, names, loc="outside lower center", ncols=len(names))
    drawn = scores[scores["arm"].isin(models)].groupby(["set", "arm"], sort=False)["average"]
    spread = drawn.max() - drawn.min()
    return Drawing(
        "clouds",
        figure,
        {"means": means},
        f"Accuracy of {', '.join(models)} on sets {', '.join(map(str, sets))}: small marks are seeds, bars are means "
        "with 95 % intervals, crosses are the printed values.",
        f"{stamp}: the same network on the same set differs by up to {spread.max():.0f} points from seed to seed, and "
        "each printed value is one such run.",
        trained={"means": SPREAD},
    )


def _cloud(ax: Axes, x: float, values: Sequence[float], model: str) -> float:
    colour, marker = LOOK[model]
    shifts = np.linspace(-0.06, 0.06, len(values))
    ax.scatter(x + shifts, values, color=colour, marker=marker, s=24, alpha=0.7, edgecolors=BLACK, linewidths=0.3)
    found = interval(values)
    ax.errorbar(x, found.mean, [[found.mean - found.low], [found.high - found.mean]], color=BLACK, capsize=4, lw=2)
    ax.plot(x, found.mean, "_", color=BLACK, ms=13, mew=2.5, zorder=3)
    return found.mean


def paired(samples: Mapping[str, Sequence[float]], printed: pd.DataFrame, sets: Sequence[int], stamp: str) -> Drawing:
    """Paired differences between the three models, one panel each: a row per set and one for their average."""
    figure = new(12, 1.6 + 0.42 * (len(sets) + 1))
    axes = figure.subplots(1, len(PAIRS), sharey=True, sharex=True)
    rows = [*(f"set {number}" for number in sets), "average"]
    theirs = printed.set_index(["set", "model"])["average"]
    means, crosses, beyond = [], [], 0
    for ax, (first, second) in zip(axes, PAIRS, strict=True):
        gaps = [theirs[number, first] - theirs[number, second] for number in sets]
        for y, (row, cross) in enumerate(zip(rows, [*gaps, sum(gaps) / len(gaps)], strict=True)):
            values = samples[f"{row}/{first}-{second}"]
            found, (low, high) = interval(values), single_run(values)
            ax.plot([low, high], [y, y], color=GREY, lw=1.2)
            _bar(ax, y, found, RED if row == "average" else BLUE)
            ax.plot(cross, y, "x", color=BLACK, ms=9, mew=2, zorder=4)
            means.append(found.mean)
            crosses.append(round(float(cross), 6))
            beyond += not low <= cross <= high
        ax.axvline(0, color=GREY, lw=1)
        ax.set(title=f"{first} − {second}", xlabel="points")
        ax.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(range(len(rows)), rows)
    axes[0].invert_yaxis()
    looks = (("o-", {"color": BLUE, "ms": 8, "lw": 3}), ("-", {"color": GREY, "lw": 1.2}))
    handles = [axes[0].plot([], [], style, **look)[0] for style, look in (*looks, ("x", {"color": BLACK, "mew": 2}))]
    names = ["ours: mean, 95 % interval", "95 % of single runs of ours", "printed (single runs)"]
    figure.legend(handles, names, loc="outside lower center", ncols=3)
    return Drawing(
        "paired",
        figure,
        {"means": means, "printed": crosses},
        "Three panels of horizontal intervals (thick the mean, thin a single run): MT minus ST, SOS minus MT and "
        "SOS minus ST, one row per set and one for "
        "the average, with crosses at the printed differences and a line at zero.",
        f"{stamp}: {beyond} of {len(means)} printed differences lie where fewer than 5 % of our own single runs would.",
        trained={"means": SPREAD},
    )


def _bar(ax: Axes, y: float, found: Interval, colour: str, marker: str = "o") -> None:
    ax.plot([found.low, found.high], [y, y], color=colour, lw=3, solid_capstyle="butt")
    ax.plot(found.mean, y, marker, color=colour, ms=7, markeredgecolor=BLACK)


def ablation(samples: Mapping[str, Sequence[float]], stamp: str) -> Drawing:
    """SOS minus what lacks one of its parts, averaged over the sets."""
    meaning = {
        "without (4)": "without (4), common–specific",
        "without (5)": "without (5), specific–specific",
        "without (6)": "without (6), semantic",
        "without (7)": "without (7), fake heads untrained",
        "without all": "without all four terms",
        "MT wide": "a shared network as wide (MT wide)",
        "MT": "the shared network (MT)",
    }
    rows = {text: samples[f"average/SOS-{arm}"] for arm, text in meaning.items() if f"average/SOS-{arm}" in samples}
    figure = new(10, 1.2 + 0.5 * len(rows))
    ax = figure.subplots()
    found = {text: interval(values) for text, values in rows.items()}
    for y, one in enumerate(found.values()):
        _bar(ax, y, one, BLUE)
    ax.axvline(0, color=GREY, lw=1)
    ax.set_yticks(range(len(rows)), [f"{text}, n = {len(values)}" for text, values in rows.items()])
    ax.invert_yaxis()
    ax.set_xlabel("SOS minus this, mean of both tasks and all sets (points; 95 % interval)")
    ax.grid(axis="x", alpha=0.3)
    clear = [text for text, one in found.items() if one.low > 0 and text.startswith("without")]
    return Drawing(
        "ablation",
        figure,
        {"means": [one.mean for one in found.values()]},
        "Horizontal intervals of SOS minus each of its ablations and minus two shared networks, a line at zero. To the "
        "right of zero SOS is better.",
        f"{stamp}: {_count(clear)} whose 95 % interval lies above zero (each by itself, uncorrected).",
        trained={"means": SPREAD},
    )


def _count(clear: Sequence[str]) -> str:
    texts = [text.removeprefix("without ") for text in clear]
    if not texts:
        return "there is no setting of the terms"
    return f"there {'is 1 setting' if len(texts) == 1 else f'are {len(texts)} settings'} ({'; '.join(texts)})"


def probes(matrices: Mapping[str, pd.DataFrame], stamp: str) -> Drawing:
    """Accuracy of a linear probe of each task (columns) from each space (rows), one panel per arm."""
    figure = new(3.9 * len(matrices) + 0.6, 3.9)
    axes = figure.subplots(1, len(matrices), sharey=True, squeeze=False)[0]
    for ax, (name, matrix) in zip(axes, matrices.items(), strict=True):
        image = ax.imshow(matrix.to_numpy(), cmap="Blues", vmin=50, vmax=100, aspect="auto")
        for (row, column), value in np.ndenumerate(matrix.to_numpy()):
            ax.text(column, row, f"{value:.1f}", ha="center", va="center", color="white" if value > 80 else BLACK)
        ax.set_xticks(range(len(matrix.columns)), matrix.columns)
        ax.set_yticks(range(len(matrix.index)), matrix.index)
        ax.set_title(name)
        ax.spines[["top", "right"]].set_visible(True)
    figure.colorbar(image, ax=list(axes), label="accuracy of a linear probe (%)")
    first, matrix = next(iter(matrices.items()))
    own = (matrix.loc["specific 1", "task 1"] + matrix.loc["specific 2", "task 2"]) / 2
    other = (matrix.loc["specific 1", "task 2"] + matrix.loc["specific 2", "task 1"]) / 2
    blind = matrix.loc["nothing"].mean()
    return Drawing(
        "probes",
        figure,
        {name: matrix.to_numpy() for name, matrix in matrices.items()},
        "Tables of probe accuracies: rows are what is looked at (nothing, the common space, the two specific spaces), "
        "columns are the two tasks. The row 'nothing' is the share of the commoner label.",
        f"{stamp}: in {first}, a specific space tells its own task with {own:.1f} % and the other with {other:.1f} %, "
        f"where looking at nothing gives {blind:.1f} %.",
        trained=dict.fromkeys(matrices, SPREAD),
    )


def readings(found: pd.DataFrame, stamp: str) -> Drawing:
    """The differences between models under other readings of the print, beside the default on the same sets."""
    figure = new(12, 1.6 + 0.7 * len(found))
    axes = figure.subplots(1, len(PAIRS), sharey=True, sharex=True)
    means, signs = [], 0
    for ax, (first, second) in zip(axes, PAIRS, strict=True):
        pair = f"{first}-{second}"
        for y, row in enumerate(found.to_dict("records")):
            if row[pair] == row[f"{pair} by default"]:
                continue  # a reading of SOS does not touch MT and ST
            ours, theirs = (Interval(**row[f"{pair}{which}"]) for which in (" by default", ""))
            _bar(ax, y - 0.15, ours, BLUE)
            _bar(ax, y + 0.15, theirs, ORANGE, "s")
            means += [ours.mean, theirs.mean]
            signs += (ours.low > 0 and theirs.high < 0) or (ours.high < 0 and theirs.low > 0)
        ax.axvline(0, color=GREY, lw=1)
        ax.set(title=f"{first} − {second}", xlabel="points")
        ax.grid(axis="x", alpha=0.3)
    names = [_sets(row) for row in found.to_dict("records")]
    axes[0].set_yticks(range(len(found)), names)
    axes[0].invert_yaxis()
    handles = [axes[0].plot([], [], mark, color=colour, ms=8)[0] for mark, colour in (("o", BLUE), ("s", ORANGE))]
    figure.legend(handles, ["default reading", "this reading"], loc="outside lower center", ncols=2)
    return Drawing(
        "readings",
        figure,
        {"means": means},
        "Three panels of intervals, one row per reading of the print: circles are the default reading on the same sets "
        "and seeds, squares the other reading.",
        f"{stamp}: a reading turns the sign of a difference (both 95 % intervals beyond zero) in {signs} of "
        f"{len(means) // 2} cases.",
        trained={"means": SPREAD},
    )


def _sets(row: Mapping) -> str:
    sets = row["sets"]
    text = "all sets" if len(sets) == 10 else f"set{'s' if len(sets) > 1 else ''} {', '.join(map(str, sets))}"
    return f"{row['reading']}\n{text}"
