"""The explorer of notebook 02c: where to set a threshold, and how many of the matches are then wrong."""

from collections.abc import Mapping, Sequence

import numpy as np

from mtlib.explore import Explorer
from mtlib.figures import BLACK, BLUE, ORANGE, Drawing, new

COMPARISONS = 1000
SHARES = {"1 in 2": 0.5, "1 in 10": 0.1, "1 in 100": 0.01, "1 in 1000": 0.001}

Curve = Mapping[str, Sequence[float]]


def thresholds(curves: Mapping[str, Curve], data: str) -> Explorer:
    """Choose a false-match rate, and how many of the comparisons are of one person.

    Args:
        curves: {arm: {"grid", "mean"}}, false-match rates above 0, the same for all arms, and true-match rates, 0 to 1.
        data: what was compared.

    Raises:
        ValueError: no curve, or curves whose grids differ.
    """
    grids = {tuple(own["grid"]) for own in curves.values()}
    if len(grids) != 1:
        raise ValueError(f"thresholds: one curve or more on one grid, got {len(curves)} curves on {len(grids)} grids")
    (grid,) = grids
    places = {f"{100 * rate:.3g} %": place for place, rate in enumerate(grid)}
    means = {arm: list(own["mean"]) for arm, own in curves.items()}

    def draw(rate: str, genuine: str) -> Drawing:
        return _counted({arm: own[places[rate]] for arm, own in means.items()}, grid[places[rate]], rate, genuine, data)

    nearest = min(places, key=lambda rate: abs(np.log(grid[places[rate]] / 0.01)))
    return Explorer(
        "A door compares faces. Which false-match rate would you allow? What if hardly anybody at it is who they say?",
        {"rate": tuple(places), "genuine": tuple(SHARES)},
        {"rate": nearest, "genuine": "1 in 10"},
        draw,
        {"rate": "false-match rate", "genuine": "of one person"},
    )


def counts(true_match: float, false_match: float, genuine: float) -> tuple[float, float, float]:
    """(misses, false matches, share of the matches that is wrong, NaN without a match) of 1000 comparisons.

    Args:
        true_match, false_match: rates, 0 to 1.  genuine: share of the comparisons that are of one person.
    """
    right, wrong = genuine * true_match, (1 - genuine) * false_match
    share = wrong / (right + wrong) if right + wrong else float("nan")
    return COMPARISONS * genuine * (1 - true_match), COMPARISONS * wrong, share


def _counted(rates: Mapping[str, float], false_match: float, rate: str, genuine: str, data: str) -> Drawing:
    found = {arm: counts(true_match, false_match, SHARES[genuine]) for arm, true_match in rates.items()}
    misses, false, wrong = (np.array(column) for column in zip(*found.values(), strict=True))
    y = np.arange(len(found))
    figure = new(12.5, 1.8 + 0.6 * len(found))
    left, right = figure.subplots(1, 2, sharey=True)
    left.barh(y - 0.2, misses, 0.36, color=BLUE, ec=BLACK, label="misses: one person, no match")
    left.barh(y + 0.2, false, 0.36, color=ORANGE, ec=BLACK, hatch="///", label="false matches: two people")
    right.barh(y, 100 * np.nan_to_num(wrong), 0.6, color=ORANGE, ec=BLACK, hatch="///")
    for at, (own, other, share) in enumerate(found.values()):
        left.annotate(f"{own:.1f}", (own, at - 0.2), (4, 0), textcoords="offset points", va="center")
        left.annotate(f"{other:.1f}", (other, at + 0.2), (4, 0), textcoords="offset points", va="center")
        text = "no match" if np.isnan(share) else f"{100 * share:.0f} %"
        right.annotate(text, (100 * np.nan_to_num(share), at), (4, 0), textcoords="offset points", va="center")
    left.set_yticks(y, list(found))
    left.set_ylim(len(found) - 0.5, -0.5)
    left.set(xlabel=f"of {COMPARISONS} comparisons", xlim=(0, 1.18 * max(misses.max(), false.max(), 1)))
    right.set(xlabel="of the matches, wrong (%)", xlim=(0, 114))
    for ax in (left, right):
        ax.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2)
    best = min(found, key=lambda arm: found[arm][0])
    return Drawing(
        "explore-thresholds",
        figure,
        {"misses": misses, "false matches": false},
        f"A row for each of {', '.join(found)}. Left, of {COMPARISONS} comparisons, plain bars: misses, hatched bars: "
        "false matches. Right: which share of all matches is wrong.",
        f"{data}, false-match rate {rate}, {genuine} comparisons of one person: {false[0]:.1f} false matches of "
        f'{COMPARISONS} comparisons; "{best}" misses fewest, {found[best][0]:.1f} of '
        f"{COMPARISONS * SHARES[genuine]:g}, and {_wrong(found[best][2])}.",
        trained={"misses": 100.0},
    )


def _wrong(share: float) -> str:
    return "matches nobody" if np.isnan(share) else f"{100 * share:.0f} % of its matches are wrong"
