"""The explorer of adversarial blindness: turn lambda up; who is fooled, and who still sees the partner?"""

from collections.abc import Mapping, Sequence

import numpy as np

from mtlib.experiments.blindness_summary import Rows, ladder
from mtlib.explore import Explorer
from mtlib.figures import BLACK, BLUE, GREY, ORANGE, RED, Drawing, new
from mtlib.metrics.intervals import interval

SEEN = {  # who reads the partner: colour, marker, line
    "own adversary": (ORANGE, "D", "--"),
    "linear probe": (BLUE, "o", "-"),
    "MLP probe": (RED, "s", "-."),
}
SHORT = {
    "Wearing Lipstick": "Lipstick", "Mouth Slightly Open": "Mouth open", "Heavy Makeup": "Makeup",
    "Bushy Eyebrows": "Eyebrows", "Straight Hair": "Straight",
}  # fmt: skip
FLOOR, OWN = "floor", "accuracy"
POINTS = 8.0  # that a mean of few short runs may move between machines


def weights(rows: Rows) -> Explorer:
    """Choose a pair and lambda: the network's own adversary, fresh probes, and the accuracy of the main attribute.

    Args:
        rows: of ``blindness.train``, with two lambdas or more of a pair.

    Raises:
        ValueError: there is no such pair.
    """
    found = ladder(rows, [*SEEN, FLOOR, OWN])
    if not found:
        raise ValueError("weights: needs a pair with networks of two lambdas or more")
    every = tuple(sorted({weight for own in found.values() for weight in own}))
    short = {_short(name): name for name in found}

    def draw(pair: str, weight: float) -> Drawing:
        return _drawn(short[pair], found[short[pair]], weight)

    return Explorer(
        "Turn λ up. From which λ on is the network's own adversary fooled, is a linear probe that nobody fought blind, "
        "and does a probe with a hidden layer still see? What does the main attribute pay?",
        {"pair": tuple(short), "weight": every},
        {"pair": next(iter(short)), "weight": every[-1]},
        draw,
        {"pair": "main | partner", "weight": "λ"},
    )


def _short(name: str) -> str:
    """A pair's name that fits beside a slider."""
    return " | ".join(SHORT.get(side, side) for side in name.split(" | "))


def _drawn(name: str, own: Mapping[float, Mapping[str, Sequence[float]]], asked: float) -> Drawing:
    weight = min(own, key=lambda known: abs(known - asked))  # a pair may have fewer of them
    places = {known: at for at, known in enumerate(own)}
    figure = new(12, 5.2)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    for k, (score, (colour, marker, style)) in enumerate(SEEN.items()):
        _line(left, own, score, colour, marker, style, 0.07 * (k - 1), places[weight])
    _line(right, own, OWN, BLACK, "^", "-", 0.0, places[weight])
    floor = float(np.mean(own[weight][FLOOR]))
    left.axhline(floor, color=BLACK, lw=2, label="floor: what the main label tells")
    left.axhline(50, color=GREY, ls=":", lw=2, label="chance")
    for ax, title in ((left, f"who reads {name.split(' | ')[1]}"), (right, f"how well {name.split(' | ')[0]} is told")):
        ax.axvspan(places[weight] - 0.3, places[weight] + 0.3, color="#E8E8E8", zorder=0)
        ax.set_xticks(range(len(own)), [f"{known:g}" for known in own])
        ax.set(xlabel="λ", title=title, xlim=(-0.5, len(own) - 0.5))
        ax.grid(axis="y", alpha=0.3)
    left.set_ylabel("balanced accuracy on new faces (%)")
    right.set_ylabel("accuracy (%)")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    mean = {score: float(np.mean(own[weight][score])) for score in (*SEEN, OWN)}
    first = {score: float(np.mean(next(iter(own.values()))[score])) for score in (*SEEN, OWN)}
    least = next(iter(own))
    told = ", ".join(f"{score} {mean[score]:.1f} % ({mean[score] - first[score]:+.1f})" for score in SEEN)
    return Drawing(
        "explore-blindness",
        figure,
        {"read": [mean[score] for score in SEEN], "accuracy": [mean[OWN]], "floor": [floor]},
        f"Left, over λ, how well the network's own adversary, a linear probe and one with a hidden layer read the "
        f"partner of {name}, with lines at the floor and at chance. Right, the accuracy of the main attribute. "
        "Bars are 95 % intervals; the chosen λ is shaded.",
        f"{name}, λ = {weight:g}, in brackets the change from λ = {least:g}: {told}; floor {floor:.1f} %. "
        f"{_verdict(mean, floor)} Accuracy of the main attribute {mean[OWN]:.1f} % ({mean[OWN] - first[OWN]:+.1f}); "
        f"n = {len(own[weight][OWN])}.",
        trained={"read": POINTS, "accuracy": POINTS, "floor": POINTS},
    )


def _verdict(mean: Mapping[str, float], floor: float) -> str:
    """Who sees more than the main label tells, by the means."""
    see = [score for score in SEEN if mean[score] > floor]
    return f"More than the main label tells is seen by: {', '.join(see) or 'none of them'}."


def _line(
    ax: object, own: Mapping[float, Mapping[str, Sequence[float]]], score: str, colour: str, marker: str, style: str,
    aside: float, chosen: int,
) -> None:  # fmt: skip
    means = [float(np.mean(each[score])) for each in own.values()]
    x = np.arange(len(own)) + aside
    ax.plot(x, means, style, marker=marker, color=colour, lw=2.2, ms=8, mec=BLACK, label=score)
    ax.plot([x[chosen]], [means[chosen]], marker, color=colour, ms=14, mec=BLACK, mew=1.6, zorder=4)
    low, high = min(means), max(means)
    for at, each in zip(x, own.values(), strict=True):
        if len(each[score]) > 1:
            found = interval(each[score])
            # The interval of two seeds would make points of all others.
            ends = max(found.low, low - 15), min(found.high, high + 15)
            ax.plot([at, at], ends, color=colour, lw=1.8, alpha=0.7)
