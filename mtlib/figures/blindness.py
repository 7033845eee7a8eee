"""Before an adversary and after: what probes still read of the partner, where the network looks, what moves it."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mtlib.figures import BLACK, BLUE, GREY, ORANGE, RED, Drawing, new
from mtlib.metrics.intervals import interval

BeforeAfter = Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float]]]]  # {pair: {score: (before, after)}}

LINEAR, MLP, FLOOR = "linear probe", "MLP probe", "floor"
MASS, EVEN, MOVED = "map on the partner", "even map on the partner", "logit moved"
LOOKS = {LINEAR: (BLUE, "o"), MLP: (RED, "s"), "own adversary": (ORANGE, "D")}
CHANCE = 50.0
POINTS, SHIFT = 8.0, 0.6  # that a mean of few short runs may move between machines: points, standard deviations


def probes(found: BeforeAfter, stamp: str) -> Drawing:
    """How well the partner is read from the features: a row per pair, an arrow from before to after for either probe.

    Args:
        found: {pair: {"linear probe", "MLP probe", "floor": (before, after)}}, balanced accuracies in per cent, one per
            seed; the floor is what the main attribute's label alone tells.
        stamp: how large the evidence is.

    Raises:
        ValueError: no pair, or a score that is missing, not finite or of unequal seeds.
    """
    names = _checked("probes", found, (LINEAR, MLP, FLOOR))
    figure = new(12, 1.9 + 0.85 * len(names))
    ax = figure.subplots()
    values = [value for own in found.values() for both in own.values() for side in both for value in side]
    ax.set_xlim(min(CHANCE, *values) - 2, max(values) + 3)
    for at, name in enumerate(names):
        own = found[name]
        level = float(np.mean(own[FLOOR][0]))
        ax.plot([level, level], [at - 0.4, at + 0.4], color=BLACK, lw=3)
        for score, aside in ((LINEAR, -0.17), (MLP, 0.17)):
            _arrow(ax, at + aside, *own[score], *LOOKS[score])
    ax.axvline(CHANCE, color=GREY, ls=":", lw=2)
    _rows(ax, names)
    ax.set_xlabel("partner read from features of new faces, balanced accuracy (%)")
    marks = _before_after_marks(BLACK, "o") | {f"{score}": _mark(*LOOKS[score]) for score in (LINEAR, MLP)}
    marks |= {
        "floor: what the main label tells": Line2D([], [], color=BLACK, lw=3, marker="|", ls="none", ms=16, mew=3),
        "chance": Line2D([], [], color=GREY, ls=":", lw=2),
    }
    figure.legend(list(marks.values()), list(marks), loc="outside lower center", ncols=4)
    told = "; ".join(_told(name, found[name], (LINEAR, MLP)) for name in names)
    above = {name: np.mean(own[LINEAR][1]) - np.mean(own[FLOOR][1]) for name, own in found.items()}
    still = sum(value > 0 for value in above.values())
    return Drawing(
        "blindness-probes",
        figure,
        _means(found, (LINEAR, MLP)) | {"floor": [float(np.mean(found[name][FLOOR][0])) for name in names]},
        f"A row for each of {', '.join(names)} (main attribute | partner). An arrow leads from how well a probe reads "
        "the partner from features of a network without an adversary (hollow) to one with it (filled), blue circles "
        "for a linear probe, red squares for a probe with a hidden layer, bars for 95 % intervals; an upright stroke "
        "for what the main label alone tells, a dotted line for chance.",
        f"{stamp}: {told}. After training, the linear probe's mean is above what the main label tells for {still} of "
        f"{len(names)} pairs.",
        trained=dict.fromkeys((*_named((LINEAR, MLP)), "floor"), POINTS),
    )


def looks(found: BeforeAfter, stamp: str) -> Drawing:
    """Where the network looks for the main attribute, and what setting the partner does to its logit.

    Args:
        found: {pair: {"map on the partner", "even map on the partner", in per cent, "logit moved", in standard
            deviations: (before, after), one per seed}}.
        stamp: how large the evidence is.

    Raises:
        ValueError: as ``probes``.
    """
    names = _checked("looks", found, (MASS, EVEN, MOVED))
    figure = new(13.5, 1.9 + 0.62 * len(names))
    left, right = figure.subplots(1, 2, sharey=True)
    ratio = {name: tuple(_over(own[MASS][k], own[EVEN][k]) for k in (0, 1)) for name, own in found.items()}
    shift = {name: own[MOVED] for name, own in found.items()}
    for ax, values, colour, marker in ((left, ratio, BLUE, "o"), (right, shift, RED, "s")):
        _limits(ax, values, 1.0 if ax is left else 0.0)
        for at, name in enumerate(names):
            _arrow(ax, at, *values[name], colour, marker)
    left.axvline(1, color=GREY, ls=":", lw=2)
    right.axvline(0, color=BLACK, lw=1.2)
    _rows(left, names)
    left.set_xlabel("the map's evidence on the partner's pixels,\nover an even map's (dotted: 1)")
    right.set_xlabel("logit of the main attribute, partner set less unset\n(standard deviations of the logit)")
    left.set_title("where it looks")
    right.set_title("what moves it")
    marks = _before_after_marks(BLUE, "o") | {"the same for the logit": _mark(RED, "s")}
    figure.legend(list(marks.values()), list(marks), loc="outside lower center", ncols=4)
    size = [np.mean([abs(np.mean(own[k])) for own in shift.values()]) for k in (0, 1)]
    density = [np.mean([np.mean(own[k]) for own in ratio.values()]) for k in (0, 1)]
    top = max(names, key=lambda name: abs(np.mean(shift[name][0])))
    first, last = (float(np.mean(shift[top][k])) for k in (0, 1))
    return Drawing(
        "blindness-looks",
        figure,
        {
            "evidence, before": [float(np.mean(ratio[name][0])) for name in names],
            "evidence, after": [float(np.mean(ratio[name][1])) for name in names],
            "moved, before": [float(np.mean(shift[name][0])) for name in names],
            "moved, after": [float(np.mean(shift[name][1])) for name in names],
        },
        f"Two panels with a row for each of {', '.join(names)} (main attribute | partner), arrows from before "
        "(hollow) to after (filled), bars for 95 % intervals. Left: evidence of the class activation map on the "
        "partner's pixels over what an even map has there. Right: how the main logit moves as the partner is set.",
        f"{stamp}: means over the pairs, before and after: evidence on the partner {density[0]:.2f} and "
        f"{density[1]:.2f} times an even map's; size of the logit's move {size[0]:.2f} and {size[1]:.2f} standard "
        f"deviations. Before, the partner moved the logit most for {top}: {first:+.2f}, after {last:+.2f}.",
        trained=dict.fromkeys(("evidence, before", "evidence, after", "moved, before", "moved, after"), SHIFT),
    )


# ------------------------------------------------------------------ pieces


def _checked(what: str, found: BeforeAfter, scores: Sequence[str]) -> list[str]:
    if not found:
        raise ValueError(f"{what}: there is no pair to draw")
    for name, own in found.items():
        for score in scores:
            both = own.get(score, ((), ()))
            sizes = [len(side) for side in both]
            if len(both) != 2 or not sizes[0] or sizes[0] != sizes[1] or not np.isfinite(np.array(both, float)).all():
                raise ValueError(
                    f"{what}: {name} needs {score!r} as (before, after), a finite value of every seed in each; "
                    f"got {own.get(score)!r}"
                )
    return list(found)


def _arrow(ax: Axes, at: float, before: Sequence[float], after: Sequence[float], colour: str, marker: str) -> None:
    """Means with their intervals, hollow before and filled after, and an arrow between."""
    first, last = float(np.mean(before)), float(np.mean(after))
    low, high = ax.get_xlim()
    for values, aside in ((before, -0.06), (after, 0.06)):
        if len(values) > 1:
            own = interval(values)
            ax.plot([max(own.low, low), min(own.high, high)], [at + aside] * 2, color=colour, lw=2, alpha=0.6)
    if abs(last - first) > 0.01 * (high - low):
        ax.annotate("", (last, at), (first, at), zorder=3,
                    arrowprops={"arrowstyle": "-|>", "lw": 2.4, "color": colour, "shrinkA": 6, "shrinkB": 5,
                                "mutation_scale": 17})  # fmt: skip
    ax.plot([first], [at], marker, ms=10, mfc="white", mec=colour, mew=2.2, zorder=4)
    ax.plot([last], [at], marker, ms=10, color=colour, mec=BLACK, mew=1, zorder=5)


def _limits(ax: Axes, values: Mapping[str, tuple[Sequence[float], Sequence[float]]], include: float) -> None:
    """All seeds, and room for a mark."""
    every = [include, *(value for own in values.values() for side in own for value in side)]
    room = 0.1 * (max(every) - min(every) or 1)
    ax.set_xlim(min(every) - room, max(every) + room)


def _rows(ax: Axes, names: Sequence[str]) -> None:
    for at in range(1, len(names), 2):
        for panel in ax.figure.axes:
            panel.axhspan(at - 0.5, at + 0.5, color="#F2F2F2", zorder=0)
    ax.set_yticks(range(len(names)), [name.replace(" | ", "\n| ") for name in names])
    ax.set_ylim(len(names) - 0.45, -0.55)
    for panel in ax.figure.axes:
        panel.tick_params(axis="y", length=0)
        panel.grid(axis="x", alpha=0.3)
        panel.set_axisbelow(True)


def _mark(colour: str, marker: str) -> Line2D:
    return Line2D([], [], color=colour, marker=marker, ls="none", ms=10, mec=BLACK)


def _before_after_marks(colour: str, marker: str) -> dict[str, Line2D]:
    hollow = Line2D([], [], marker=marker, ls="none", ms=10, mfc="white", mec=colour, mew=2.2)
    return {"before, λ = 0 (bar: 95 % interval)": hollow, "after, λ = 1": _mark(colour, marker)}


def _over(mass: Sequence[float], area: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(mass, area, strict=True)]


def _named(scores: Sequence[str]) -> list[str]:
    return [f"{score}, {when}" for score in scores for when in ("before", "after")]


def _means(found: BeforeAfter, scores: Sequence[str]) -> dict[str, list[float]]:
    return {
        f"{score}, {when}": [float(np.mean(own[score][k])) for own in found.values()]
        for score in scores
        for k, when in enumerate(("before", "after"))
    }


def _told(name: str, own: Mapping[str, tuple[Sequence[float], Sequence[float]]], scores: Sequence[str]) -> str:
    parts = [f"{score} {np.mean(own[score][0]):.0f} → {np.mean(own[score][1]):.0f} %" for score in scores]
    return f"{name}: {', '.join(parts)} (floor {np.mean(own[FLOOR][0]):.0f})"
