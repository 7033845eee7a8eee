"""Effect or selection: what choosing on validation data gains there, what is left of it on test data, and by chance."""

from collections.abc import Mapping, Sequence

import numpy as np

from mtlib.figures import BLACK, BLUE, GREY, ORANGE, RED, SKY, Drawing, dots, new
from mtlib.figures.pair_map import plain
from mtlib.metrics import interval

POINTS = 0.15  # that a mean may move between machines
CHANCE = "chance"

Gains = Mapping[str, Mapping[str, Sequence[float]]]  # {row: {"validation", "test": points, one per seed}}


def selection(gains: Gains, printed: Mapping[str, Mapping[str, float]], stamp: str) -> Drawing:
    """An arrow per row from the gain on validation, where the choice was made, to the gain on the test set.

    Args:
        gains: over one single network, see ``pair_tables.table1``; rows whose name begins with "chance" are of single
            networks only.
        printed: {row: {"validation", "test": points}} of photographs, in a panel of their own; either may be missing.

    Raises:
        ValueError: no row, or one without values.
    """
    if not gains or not all(len(own[split]) for own in gains.values() for split in ("validation", "test")):
        raise ValueError("selection: needs rows with a validation and a test gain each")
    names = list(gains)
    figure = new(13, 1.9 + 0.46 * len(names))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1.4))
    left.set_xlim(*_span([_ends(own[split]) for own in gains.values() for split in ("validation", "test")]))
    for at, (name, own) in enumerate(gains.items()):
        colour = GREY if name.startswith(CHANCE) else BLUE
        first, last = (float(np.mean(own[split])) for split in ("validation", "test"))
        for split, off in (("validation", -0.16), ("test", 0.16)):
            low, high = _ends(own[split])
            left.plot(
                [low, high], [at + off] * 2, color=colour, lw=2.5 if split == "test" else 1.2, solid_capstyle="butt"
            )
        left.plot([first], [at - 0.16], "o", ms=8, mfc="white", mec=colour, mew=2)
        left.plot([last], [at + 0.16], "o", ms=8, color=colour, mec=BLACK, mew=0.8)
        left.annotate(
            "", (last, at + 0.16), (first, at - 0.16),
            arrowprops={"arrowstyle": "->", "color": colour, "lw": 1.3, "shrinkA": 4, "shrinkB": 4},
        )  # fmt: skip
        theirs = printed.get(name, {})
        if not theirs:
            right.text(0, at, " not printed", va="center", color=GREY)
        for split, face in (("validation", "white"), ("test", ORANGE)):
            if split in theirs:
                right.plot(
                    [theirs[split]], [at], "D", ms=8, mfc=face, mec=ORANGE if face == "white" else BLACK, mew=1.5
                )
    values = [value for own in printed.values() for value in own.values()]
    right.set_xlim(*_span([values or [0.0]]))
    left.set_yticks(range(len(names)), names)
    left.set_ylim(len(names) - 0.5, -0.6)
    for ax, title in ((left, stamp), (right, "photographs as printed, one run")):
        ax.axvline(0, color=BLACK, lw=1)
        ax.grid(axis="x", alpha=0.3)
        ax.tick_params(axis="y", length=0)
        ax.set(title=title, xlabel="gain over one single network (points)")
    marks = {
        "validation: where it was chosen": left.plot([], [], "o", ms=8, mfc="white", mec=BLUE, mew=2)[0],
        "test: had no say": left.plot([], [], "o", ms=8, color=BLUE, mec=BLACK)[0],
        "grey: single networks only": left.plot([], [], "o", ms=8, color=GREY, mec=BLACK)[0],
    }
    figure.legend(list(marks.values()), list(marks), loc="outside lower center", ncols=3)
    arrays = {split: [float(np.mean(own[split])) for own in gains.values()] for split in ("validation", "test")}
    clear = [name for name, own in gains.items() if len(own["test"]) > 1 and _ends(own["test"])[0] > 0]
    worse = [name for name, own in gains.items() if len(own["test"]) > 1 and _ends(own["test"])[1] < 0]
    return Drawing(
        "pair-selection",
        figure,
        arrays,
        f"{len(names)} rows, each with an arrow from the mean gain on validation data (hollow) to that on test data "
        "(filled), with 95 % intervals; grey rows are choices among single networks. To the right the printed gains.",
        f"{stamp}: on test data clearly better than one single network: {'; '.join(clear) or 'none'}; clearly worse: "
        f"{'; '.join(worse) or 'none'}.",
        trained=dict.fromkeys(arrays, POINTS),
    )


def _span(ends: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Ends of an axis that holds zero and everything drawn."""
    low, high = (f([0.0, *(value for own in ends for value in own)]) for f in (min, max))
    margin = 0.05 * (high - low or 1)
    return low - margin, high + margin


def _ends(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return (float(values[0]),) * 2
    found = interval(values)
    return found.low, found.high


def chance(
    observed: Mapping[str, Sequence[float]], by_chance: Mapping[str, Sequence[float]], stamp: str, printed: float
) -> Drawing:
    """The observed gain on its chance distribution, on validation and on test data.

    Args:
        observed: {"validation", "test": gain of the method, one per seed}.
        by_chance: {the same: gain of the same choice among single networks, one per group of networks}.
        printed: the paper's gain, which is named but not drawn: it is of photographs.

    Raises:
        ValueError: nothing observed, or fewer than two numbers by chance.
    """
    for split in ("validation", "test"):
        if not len(observed.get(split, ())) or len(by_chance.get(split, ())) < 2:
            raise ValueError(f"chance: needs gains and two or more by chance on {split} data")
    figure = new(12, 4)
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    every = np.concatenate([np.asarray(own[s], float) for own in (observed, by_chance) for s in ("validation", "test")])
    bins = np.linspace(every.min() - 0.01, every.max() + 0.01, 25)
    told, arrays = [], {}
    for ax, split in zip(axes, ("validation", "test"), strict=True):
        null, own = np.asarray(by_chance[split], float), np.asarray(observed[split], float)
        ax.hist(null, bins, color=SKY, ec="white", label=f"by chance: {len(null)} groups of single networks")
        ax.plot(
            own, np.full(len(own), 0.35), "v", ms=9, color=RED, mec=BLACK, label="observed, one seed", clip_on=False
        )
        ax.axvline(own.mean(), color=RED, lw=2.5, label="observed, mean")
        ax.axvline(0, color=BLACK, lw=1)
        ax.set(title=f"on {split} data", xlabel="mean gain over one single network (points)")
        told.append(f"on {split} data {own.mean():+.2f} observed, {null.mean():+.2f} by chance")
        arrays[split] = [own.mean(), null.mean()]
    axes[0].set_ylabel("groups")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return Drawing(
        "pair-chance",
        figure,
        arrays,
        "Two histograms of the gain that the same choice makes among single networks, on validation and on test data, "
        "with the observed gain of each seed and its mean.",
        f"{stamp}: {'; '.join(told)}. The paper prints {printed:+.2f} on validation photographs.",
        trained=dict.fromkeys(arrays, POINTS),
    )


def attributes(shared: np.ndarray, adversarial: np.ndarray, names: Sequence[str], stamp: str) -> Drawing:
    """Fig. 2 on drawn faces: what the worst partner takes, and what blindness to it gives, attribute by attribute.

    Args:
        shared, adversarial: (seeds, M) test points over a single network.  names: of the M attributes.

    Raises:
        ValueError: arrays that do not fit.
    """
    shared, adversarial = np.asarray(shared, float), np.asarray(adversarial, float)
    if shared.shape != adversarial.shape or shared.ndim != 2 or shared.shape[1] != len(names):
        raise ValueError(f"attributes: two (seeds, {len(names)}) arrays, got {shared.shape} and {adversarial.shape}")
    order = adversarial.mean(0).argsort()[::-1]
    figure = new(11, 2 + 0.26 * len(names))
    ax = figure.subplots()
    ax.set_xlim(*_span([*map(_ends, shared.T), *map(_ends, adversarial.T)]))
    for values, colour, marker, off in ((shared, ORANGE, "s", -0.18), (adversarial, BLUE, "o", 0.18)):
        for at, k in enumerate(order):
            low, high = _ends(values[:, k])
            ax.plot([low, high], [at + off] * 2, color=colour, lw=2, solid_capstyle="butt")
            ax.plot([values[:, k].mean()], [at + off], marker, color=colour, ms=6, mec=BLACK, mew=0.6)
    ax.axvline(0, color=BLACK, lw=1)
    ax.set_yticks(range(len(names)), [plain(names[k]) for k in order], fontsize=11)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(axis="x", alpha=0.3)
    ax.set(xlabel="gain over one single network (points, test)", title=stamp)
    ax.tick_params(axis="y", length=0)
    marks = {
        "shared with its worst partner": ax.plot([], [], "s-", color=ORANGE, ms=7, mec=BLACK)[0],
        "adversarial to it": ax.plot([], [], "o-", color=BLUE, ms=7, mec=BLACK)[0],
    }
    figure.legend(list(marks.values()), list(marks), loc="outside lower center", ncols=2)
    arrays = {"shared": shared.mean(0), "adversarial": adversarial.mean(0)}
    more, less = dots.beyond(adversarial.T.tolist())
    return Drawing(
        "pair-attributes",
        figure,
        arrays,
        f"{len(names)} rows, one per attribute: test gain of sharing with the worst partner (squares) and of being "
        "trained blind to it (circles), with 95 % intervals, each by itself.",
        f"{stamp}: trained blind to their worst partner, {more} of {len(names)} attributes are better than a single "
        f"network and {less} worse (95 % intervals, each by itself: {0.05 * len(names):.0f} would be so by chance).",
        trained=dict.fromkeys(arrays, 3 * POINTS),
    )
