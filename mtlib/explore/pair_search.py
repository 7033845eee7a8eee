"""The explorer of the pair search: pick a partner on validation data, watch what is left of it on test data."""

from collections.abc import Sequence

import numpy as np

from mtlib.experiments import pair_choice
from mtlib.experiments.pair_choice import TEST, VALIDATION
from mtlib.experiments.pair_summary import Found
from mtlib.explore import Explorer
from mtlib.figures import BLACK, BLUE, GREY, RED, Drawing, new
from mtlib.figures.pair_map import plain

POINTS = 0.5  # that a single network may move between machines


def partners(seeds: Sequence[Found], names: Sequence[str]) -> Explorer:
    """Choose an attribute and a partner by its rank on validation data; test data answer.

    Args:
        seeds: of a search.  names: of the attributes.

    Raises:
        ValueError: no seed, or another number of names.
    """
    if not seeds or any(len(one.multi) != len(names) for one in seeds):
        raise ValueError(f"partners: needs one seed or more, of {len(names)} attributes each")
    titles = tuple(plain(name) for name in names)
    by_seed = {one.seed: one for one in seeds}

    def draw(attribute: str, rank: int, seed: int) -> Drawing:
        return _partners(by_seed[seed], titles, titles.index(attribute), rank)

    ranks = tuple(range(1, len(names)))
    return Explorer(
        "Take the worst partner (rank 1) of some attributes. How much of its harm is left on test data? Do grey dots, "
        "networks without any partner, look different? Then change the seed: is it the same partner?",
        {"attribute": titles, "rank": ranks, "seed": tuple(by_seed)},
        {"attribute": titles[0], "rank": 1, "seed": seeds[0].seed},
        draw,
        {"rank": "rank, worst is 1"},
    )


def _partners(one: Found, titles: Sequence[str], at: int, rank: int) -> Drawing:
    gains = pair_choice.gains(one)[at].numpy()  # M 2
    others = np.array([k for k in range(len(titles)) if k != at])
    chance = (one.single[1:, at] - one.single[0, at]).numpy()  # runs 2
    order = others[gains[others, VALIDATION].argsort(kind="stable")]
    picked = order[rank - 1]
    figure = new(8.5, 8)
    ax = figure.subplots()
    ax.plot(*chance.T, "o", ms=6, mfc="none", mec=GREY, label=f"no partner: {len(chance)} more single networks")
    ax.plot(*gains[others].T, "o", ms=7, color=BLUE, alpha=0.7, label=f"{len(others)} partners")
    ax.plot(*gains[picked], "o", ms=14, color=RED, mec=BLACK, label=f"picked: {titles[picked]}")
    low, high = (f(np.concatenate([gains[others].ravel(), chance.ravel(), [0.0]])) for f in (min, max))
    ends = [low - 0.05 * (high - low or 1), high + 0.05 * (high - low or 1)]
    ax.plot(ends, ends, ":", color=BLACK, lw=1.5, label="as much on test data")
    ax.axhline(0, color=GREY, lw=1)
    ax.axvline(0, color=GREY, lw=1)
    ax.set(xlim=ends, ylim=ends, aspect="equal", title=f"{titles[at]}, seed {one.seed}")
    ax.set(xlabel="gain on validation (points)", ylabel="gain on test (points)")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    both = np.corrcoef(gains[others].T)[0, 1] if np.ptp(gains[others], 0).all() else 0.0
    first, last = gains[picked, VALIDATION], gains[picked, TEST]
    worst = chance[chance[:, VALIDATION].argmin()]
    return Drawing(
        "explore-partners",
        figure,
        {"picked": [first, last], "worst by chance": worst, "agreement": [both]},
        f"A plane of gains, on validation data to the right, on test data upwards: a blue dot for each partner of "
        f"{titles[at]}, grey rings for single networks, the picked partner large, and the line where both are equal.",
        f"{titles[picked]}, number {rank} from the worst on validation data ({first:+.2f} points), gives {last:+.2f} "
        f"on test data. The worst of {len(chance)} networks without any partner: {worst[VALIDATION]:+.2f} and "
        f"{worst[TEST]:+.2f}. Over the partners, gains on the two sets correlate by {both:+.2f}.",
        trained={"picked": POINTS, "worst by chance": POINTS, "agreement": 1.0},
    )
