"""The figures of notebook 03b: learning rates that were tried, gain against cost, and whom dynamic weights favour."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from mtlib.claims import interval
from mtlib.dmm import groups
from mtlib.figures import BLACK, BLUE, GREEN, GREY, ORANGE, PINK, RED, SKY, Drawing, dots, new
from mtlib.figures.dmm_results import GROUPS, POINTS, spoken

OF_LOSSES = ("uniform", "DWA", "AW", "validation trend", "uncertainty", "GradNorm")
COLOURS = (BLACK, BLUE, ORANGE, RED, GREEN, PINK, SKY)
MARKERS = "osD^vPX*<>hd"
LOSS = 0.2  # that a validation loss of a short run may move between machines

Samples = Mapping[str, Sequence[float]]  # {weighting: points, one per seed}


def tuning(trials: Sequence[Mapping], chosen: Mapping[str, float], names: Mapping[str, str]) -> Drawing:
    """Validation loss over the learning rates that were tried, weightings of losses and of gradients side by side.

    Args:
        trials: [{"arm", "rate", "loss"}], loss None where training diverged.  chosen: {arm: rate}.
        names: {arm: weighting}; other arms are left out.
    """
    figure = new(12, 4.8)
    panels = figure.subplots(1, 2, sharey=True)
    parts = {
        "weights of losses": [arm for arm in names if names[arm] in OF_LOSSES],
        "weights of gradients": [arm for arm in names if names[arm] not in OF_LOSSES],
    }
    shown: list[float] = []
    for ax, (title, arms) in zip(panels, parts.items(), strict=True):
        for place, arm in enumerate(arms):
            own = sorted((one["rate"], one["loss"]) for one in trials if one["arm"] == arm and one["loss"] is not None)
            if own:
                shown += _line(ax, own, names[arm], chosen.get(arm), COLOURS[place], MARKERS[place])
        ax.set(xscale="log", title=title, xlabel="learning rate (logarithmic)")
        ax.grid(alpha=0.3)
        if ax.lines:
            ax.legend(fontsize=10, ncols=2, loc="upper left", bbox_to_anchor=(0, -0.17))
    panels[0].set_ylabel("smallest mean validation loss")
    picked = {names[arm]: rate for arm, rate in chosen.items() if arm in names}
    rates = sorted(set(picked.values()))
    told = "; ".join(f"{rate:g}: {sum(own == rate for own in picked.values())}" for rate in rates)
    ends = {arm: sorted(one["rate"] for one in trials if one["arm"] == arm) for arm in names}
    edge = [
        names[arm]
        for arm, rate in chosen.items()
        if len(ends.get(arm, ())) > 1 and rate in (ends[arm][0], ends[arm][-1])
    ]
    return Drawing(
        "tuning",
        figure,
        {"losses": shown},
        "Two panels, weightings of losses and of gradients: validation loss over the learning rates tried, a line per "
        "weighting, the rate that was taken marked by a large symbol.",
        f"Learning rate taken, and by how many weightings: {told}; "
        + (f"at the edge of what was tried: {', '.join(edge)}." if edge else "none at the edge of what was tried."),
        trained={"losses": LOSS},
    )


def _line(
    ax: Axes, own: Sequence[tuple[float, float]], name: str, taken: float | None, colour: str, marker: str
) -> list[float]:
    rates, losses = zip(*own, strict=True)
    ax.plot(rates, losses, color=colour, marker=marker, ms=6, lw=1.6, label=name)
    if taken in rates:
        ax.plot([taken], [losses[rates.index(taken)]], marker, color=colour, ms=12, mec=BLACK, mew=1.4)
    return list(losses)


def against_cost(gains: Samples, costs: Mapping[str, float], band: Sequence[float], stamp: str = "") -> Drawing:
    """What a weighting gains over tuned equal weights, over what its updates cost.

    Args:
        gains: {weighting: points, one per seed}.  costs: {weighting: of one update, in updates of equal weights};
            a weighting without one is left out.
        band: how far each seed of equal weights is from their mean, points.  stamp: how large the evidence is.

    Raises:
        ValueError: no weighting with a cost.
    """
    known = {name: values for name, values in gains.items() if name in costs}
    if not known:
        raise ValueError(f"there are no costs of {', '.join(gains) or 'nothing'}")
    figure = new(12, 6)
    ax = figure.subplots()
    ends = np.std(band, ddof=1) if len(band) > 1 else 0.0
    ax.axhspan(-ends, ends, color=SKY, alpha=0.35, lw=0)
    ax.axhline(0, color=BLACK, lw=1)
    low, high = dots.limits(known.values(), 0.0, -ends, ends)
    ax.set(xscale="log", ylim=(low, high))
    tops = {}
    for name, values in known.items():
        of_losses = name in OF_LOSSES
        colour, marker = (BLUE, "o") if of_losses else (RED, "D")
        found = interval(values) if len(values) > 1 else None
        if found:
            ax.plot([costs[name]] * 2, [max(found.low, low), min(found.high, high)], color=colour, lw=2.5)
        mean = float(np.mean(values))
        ax.plot([costs[name]], [mean], marker, color=colour, ms=9, mec=BLACK, mew=1.2, zorder=3)
        tops[name] = (costs[name], mean)
    _labels(ax, tops)
    most = max(costs[name] for name in known)
    ticks = [tick for tick in (1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50) if tick <= 1.6 * most]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.set_xlim(0.75, 1.7 * most)
    ax.set(xlabel="cost of an update, in updates of equal weights (logarithmic)")
    ax.set_ylabel("gain over tuned equal weights (points)")
    ax.grid(alpha=0.3)
    marks = {
        "weighs losses": ax.plot([], [], "o-", color=BLUE, ms=9, mec=BLACK)[0],
        "weighs gradients": ax.plot([], [], "D-", color=RED, ms=9, mec=BLACK)[0],
        "equal weights, ± one standard deviation over seeds": ax.fill_between([], [], color=SKY, alpha=0.35),
    }
    figure.legend(list(marks.values()), list(marks), loc="outside lower center", ncols=3)
    more, less = dots.beyond(known.values())
    means = {name: float(np.mean(values)) for name, values in known.items()}
    best = max(means, key=means.get)
    return Drawing(
        "against-cost",
        figure,
        {"means": list(means.values())},
        f"A dot with a 95 % interval for each of {', '.join(known)}: gain in points over an update's cost; circles "
        "weigh losses, diamonds gradients. A band around zero is how much equal weights vary from seed to seed.",
        f"{f'{stamp}: ' if stamp else ''}of {len(known)} weightings {more} are clearly better than equal weights with "
        f"a tuned learning rate and {less} clearly worse (95 % intervals, each by itself); the best, {best}, gains "
        f"{means[best]:+.2f} points.",
        trained={"means": POINTS},
    )


def _labels(ax: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Names beside the points: at the left where another one follows at the right, moved down where two would meet."""
    low, high = ax.get_ylim()
    step, taken = (high - low) / 22, []
    for name, (x, y) in sorted(points.items(), key=lambda item: -item[1][1]):
        others = [other for key, other in points.items() if key != name]
        crowded = any(0 < np.log(a / x) < 0.3 and abs(b - y) < 2 * step for a, b in others)
        side, at = (-1 if crowded else 1), y
        while any(side == turn and abs(np.log(x / a)) < 0.3 and abs(at - height) < step for turn, a, height in taken):
            at -= step / 4
        taken.append((side, x, at))
        line = {"arrowstyle": "-", "color": GREY, "lw": 0.8} if abs(at - y) > step / 3 else None
        align = "right" if crowded else "left"
        ax.annotate(name, (x, y), (x * 1.05**side, at), ha=align, va="center", fontsize=11, arrowprops=line, zorder=2)


def favoured(
    weights: Sequence[Sequence[float]], losses: Sequence[Sequence[float]], names: Sequence[str], stamp: str = ""
) -> Drawing:
    """Late weights of the attributes over their losses: do weights turn to what is hard?

    Args:
        weights, losses: (40,) of every seed.  names: of the attributes, in CelebA's order.  stamp: how large it is.

    Raises:
        ValueError: no seed.
    """
    from scipy.stats import spearmanr

    if not len(weights):
        raise ValueError("there is no network with dynamic weights")
    weight, loss = np.mean(weights, 0), np.mean(losses, 0)
    ranks = [float(spearmanr(*both).statistic) for both in zip(weights, losses, strict=True)]
    figure = new(11, 6)
    ax = figure.subplots()
    for group, members in groups(names).items():
        at = [list(names).index(name) for name in members]
        colour, marker = GROUPS[group]
        ax.plot(loss[at], weight[at], marker, color=colour, ms=9, mec=BLACK, ls="none", label=group)
    order = np.argsort(loss)
    easy = dict.fromkeys([*order[:2], int(np.argmax(weight))])
    hard = [place for place in order[:-4:-1] if place not in easy]
    for place in easy:
        ax.annotate(spoken(names[place]), (loss[place], weight[place]), (8, 4), textcoords="offset points")
    for turn, place in enumerate(hard):  # at the right edge: to the left of their dots, one above the other
        line = {"arrowstyle": "-", "color": GREY, "lw": 0.8}
        at = (-30, 40 + 34 * turn)
        ax.annotate(
            spoken(names[place]),
            (loss[place], weight[place]),
            at,
            textcoords="offset points",
            ha="right",
            arrowprops=line,
        )
    ax.set(yscale="log", xlabel="validation loss at the end of training (hard attributes at the right)")
    ax.set_ylabel("weight in the last third (logarithmic)")
    ax.legend()
    ax.grid(alpha=0.3)
    mean = f"{interval(ranks)}" if len(ranks) > 1 else f"{ranks[0]:+.2f}"
    found = interval(ranks) if len(ranks) > 1 else None
    sides = {"hard": found is None or found.low > 0, "easy": found is None or found.high < 0}
    lean = "hard" if np.mean(ranks) > 0 else "easy"
    turn = f"lean towards {lean} attributes" if sides[lean] else "lean to neither side clearly"
    return Drawing(
        "favoured",
        figure,
        {"rank correlations": ranks, "weights": weight, "losses": loss},
        "A dot per attribute, circles objective and squares subjective: its dynamic weight in the last third of "
        "training over its validation loss at the end.",
        f"{f'{stamp}: ' if stamp else ''}rank correlation of late weights with losses, over attributes: {mean}; they "
        f"{turn}.",
        trained={"rank correlations": 1.0, "weights": 0.5, "losses": LOSS},
    )
