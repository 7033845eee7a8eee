"""The explorer of notebook 01b: how many seeds does a verdict need?"""

from collections.abc import Mapping, Sequence

import torch

from mtlib.claims import interval
from mtlib.experiments.sos_toy import DIFFERENCES
from mtlib.explore import Explorer
from mtlib.figures import BLACK, BLUE, GREY, Drawing, new
from mtlib.seeds import generator

PAIRS = tuple(f"{first}-{second}" for first, second in DIFFERENCES)
MOST = 20  # seeds that a slider offers


def few_seeds(samples: Mapping[str, Sequence[float]]) -> Explorer:
    """Judge with fewer seeds than were run, drawn by chance.

    Args:
        samples: {"set 8/SOS-MT": [one difference per seed], ...}, as ``toy_summary.samples`` gives them.
    """
    keys = [key for key in samples if key.split("/")[1] in PAIRS and key.split("/")[0] != "overlap"]
    places = tuple(dict.fromkeys(key.split("/")[0] for key in keys))
    most = min(MOST, min(len(samples[key]) for key in keys))

    def draw(where: str, pair: str, n: int, again: int) -> Drawing:
        return _judged(where, pair, samples[f"{where}/{pair}"], n, again)

    return Explorer(
        "Take fewer seeds than were run, and take them again. From how many on does the sign no longer change? Where "
        "does even the full number not decide?",
        {"where": places, "pair": PAIRS, "n": tuple(range(2, most + 1)), "again": tuple(range(10))},
        {"where": "average" if "average" in places else places[0], "pair": "SOS-MT", "n": min(5, most), "again": 0},
        draw,
        {"where": "set, or the average over sets", "n": "seeds", "again": "draw the seeds again"},
    )


def _judged(where: str, pair: str, values: Sequence[float], n: int, again: int) -> Drawing:
    order = torch.randperm(len(values), generator=generator("few seeds", again)).tolist()
    chosen, left = [values[k] for k in order[:n]], [values[k] for k in order[n:]]
    found, whole = interval(chosen), interval(values)
    figure = new(8, 2.9)
    ax = figure.subplots()
    ax.scatter(left, [0.0] * len(left), s=60, facecolors="none", edgecolors=GREY, label="other seeds")
    ax.scatter(chosen, [0.0] * n, s=60, color=BLUE, alpha=0.7, edgecolors=BLACK, label="seeds taken")
    for y, one, colour, name in ((0.5, found, BLUE, f"{n} seeds"), (-0.5, whole, GREY, f"all {len(values)}")):
        ax.plot([one.low, one.high], [y, y], color=colour, lw=4, solid_capstyle="butt")
        ax.plot(one.mean, y, "o", color=colour, ms=9, mec=BLACK)
        ax.annotate(name, (one.high, y), xytext=(8, -4), textcoords="offset points")
    ax.axvline(0, color=BLACK, lw=1)
    ax.set(ylim=(-1, 1), yticks=[], xlabel=f"{pair.replace('-', ' − ')}, {where} (points; 95 % intervals)")
    ax.spines["left"].set_visible(False)
    ax.margins(x=0.18)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    first, second = pair.split("-")
    said = f"{first} is better" if found.low > 0 else f"{second} is better" if found.high < 0 else "nothing decided"
    return Drawing(
        "explore-seeds",
        figure,
        {"mean and ends": [found.mean, found.low, found.high]},
        f"Differences {pair} of single seeds as dots on a line, filled where taken; the 95 % interval of those taken "
        "above and of all seeds below; a vertical line at zero.",
        f"With these {n} seeds: {said}, {found} points. With all {len(values)}: {whole}.",
        trained={"mean and ends": 5.0},
    )
