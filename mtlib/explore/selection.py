"""The explorer of chance: what one gains by keeping the best of several runs that differ in nothing."""

import numpy as np

from mtlib.experiments import aal_printed
from mtlib.explore import Explorer
from mtlib.figures import BLACK, BLUE, ORANGE, RED, Drawing, new

NOISES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
TRIES = (1, 2, 3, 5, 10, 30, 39)
LASTING = (0.0, 0.25, 0.5, 0.75, 1.0)


def best_of_noise() -> Explorer:
    """Forty attributes, each the best of k runs by validation: what does the mean gain look like there, and on test?"""
    return Explorer(
        "No method is used here. With which noise and how many tries does choosing alone give the printed 0.13 on "
        "validation data? Is there any setting that gives 0.13 there and 0.21 on test data?",
        {"noise": NOISES, "tries": TRIES, "lasting": LASTING},
        {"noise": 0.1, "tries": 5, "lasting": 0.5},
        _best_of_noise,
        {"noise": "noise of a run", "tries": "runs to choose of", "lasting": "luck that lasts"},
    )


def _best_of_noise(noise: float, tries: int, lasting: float) -> Drawing:
    printed = aal_printed.gains()["adversarial, worst partner"]
    found = aal_printed.chance_gains(noise, tries, lasting)
    figure = new(11, 4)
    ax = figure.subplots()
    ends = [min(-0.1, *(own.min() for own in found.values())), max(0.3, *(own.max() for own in found.values()))]
    bins = np.linspace(*ends, 61)
    for (split, own), colour, hatch in zip(found.items(), (BLUE, ORANGE), ("", "///"), strict=True):
        ax.hist(own, bins, color=colour, alpha=0.75, hatch=hatch, ec="white", label=f"by chance, {split}")
    top = ax.get_ylim()[1]
    for (split, value), style in zip(printed.items(), ("-", "--"), strict=True):
        ax.plot([value] * 2, [0, top], style, color=RED, lw=2.5, label=f"printed, {split}: {value:+.2f}")
    ax.axvline(0, color=BLACK, lw=1)
    ax.set(xlabel="mean gain over forty attributes (points)", ylabel="of 2 000 simulated papers", xlim=ends)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    means = {split: float(own.mean()) for split, own in found.items()}
    above = float((found["validation"] >= printed["validation"]).mean())
    return Drawing(
        "explore-chance",
        figure,
        {"means": list(means.values()), "as much on validation": [above]},
        "Two histograms of what choosing the best runs gains, on the data of the choice and on test data, with the "
        "printed gains as lines.",
        f"Keeping the best of {tries} runs with noise of {noise:g} points gains {means['validation']:+.2f} on "
        f"validation data and {means['test']:+.2f} on test data, with no method at all; {100 * above:.0f} % of such "
        f"papers would print {printed['validation']:+.2f} or more on validation data.",
        trained={"means": 0.01, "as much on validation": 0.1},
    )
