"""The explorers of notebook 04: where matching ends, how wrong a prior may be, what one relation more does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import get_args

import numpy as np
from matplotlib.axes import Axes
from numpy import ndarray

from mtlib.coupling import Relations, mixture
from mtlib.coupling.matching import MatchingForm
from mtlib.coupling.printed import From
from mtlib.coupling.printed import relations as printed
from mtlib.explore import Explorer
from mtlib.figures import BLACK, BLUE, GREY, RED, Drawing, new
from mtlib.figures.coupling_method import P, active, along, lowest, softened
from mtlib.figures.coupling_results import look, title
from mtlib.figures.coupling_surface import OVER, POINTS, Places, crossing, grid_of

FORMS = ("printed", "mended", "one-sided", "swapped", "divergence")
assert set(FORMS) == set(get_args(MatchingForm))
STEPS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
FLAT = 1e-6  # a gradient below it has no direction


def matching() -> Explorer:
    """Move p and q under a form of the matching loss: which way does it push either, and where does it rest?"""
    return Explorer(
        "Where is each form's minimum over p? Under which does it move with q, and under which is there none inside? "
        "Then look right: which forms pull the expressions' prediction, q, away from p?",
        {"form": FORMS, "p": STEPS, "q": STEPS},
        {"form": "printed", "p": 0.6, "q": 0.8},
        _matching,
        {"form": "form of the loss", "p": "p, predicted", "q": "q, from classes"},
    )


def _matching(form: MatchingForm, p: float, q: float) -> Drawing:
    over_p, over_q = along(P, q, form), along(np.full_like(P, p), P, form)
    here = float(along(np.array([p]), q, form)[0])
    slopes = [_slope(form, p, q, at) for at in (0, 1)]
    lows = [lowest(over_p), lowest(over_q)]
    figure = new(12.5, 4.8)
    panels = figure.subplots(1, 2, sharey=True)
    for ax, loss, at, low, slope, name in zip(panels, (over_p, over_q), (p, q), lows, slopes, "pq", strict=True):
        ax.plot(P, loss, color=BLUE, lw=2.6)
        if low is not None:
            ax.plot([low], [loss.min()], "s", color=RED, ms=13, mec=BLACK, clip_on=False, zorder=3)
        ax.plot([at], [here], "o", color=BLUE, ms=12, mec=BLACK, zorder=4)
        if abs(slope) > FLAT:  # the way down, of one length, whatever the slope
            ax.annotate("", (at - 0.16 * np.sign(slope), here), (at, here), annotation_clip=False, zorder=5,
                        arrowprops={"arrowstyle": "-|>", "lw": 3, "color": BLACK, "mutation_scale": 22})  # fmt: skip
        ax.set(xlabel=name, xlim=(-0.04, 1.04), title=f"over {name}, {'q' if name == 'p' else 'p'} fixed: {_at(low)}")
        ax.grid(alpha=0.3)
    panels[0].set(ylabel=f"loss, {form}", ylim=(-0.2, max(3.2, 1.15 * here)))
    marks = {"here, and the way down": panels[0].plot([], [], "o", color=BLUE, ms=12, mec=BLACK)[0],
             "minimum": panels[0].plot([], [], "s", color=RED, ms=12, mec=BLACK)[0]}  # fmt: skip
    figure.legend(list(marks.values()), list(marks), loc="outside lower center", ncols=2)
    ways = [f"∂loss/∂{name} {_sign(slope)}" for name, slope in zip("pq", slopes, strict=True)]
    return Drawing(
        "explore-matching",
        figure,
        {"loss": [here], "slopes": slopes, "minima": [-1.0 if low is None else low for low in lows]},
        f"Two panels of the {form} loss of one unit, left over p at q = {q:g}, right over q at p = {p:g}: a line, the "
        "sliders' place as a circle with an arrow down the slope, the minimum as a square.",
        f"The {form} minimum over p {_sits(lows[0])}, for q = {q:g}; at p = {p:g}, {ways[0]}. Over q it "
        f"{_sits(lows[1])}; {ways[1]}.",
    )


def _slope(form: MatchingForm, p: float, q: float, of: int, step: float = 1e-5) -> float:
    """The derivative of the loss by p (``of`` 0) or q (1), by central differences."""
    ends = np.array([[p, q], [p, q]])
    ends[:, of] += (-step, step)
    low, high = along(ends[:, 0], ends[:, 1], form)
    return float(high - low) / (2 * step)


def _sign(slope: float) -> str:
    if abs(slope) < FLAT:
        return "is 0: it rests"
    return f"is {slope:+.2f}: it is pushed {'down' if slope > 0 else 'up'}"


def _at(low: float | None) -> str:
    return "no minimum" if low is None else f"minimum at {low:.3g}"


def _sits(low: float | None) -> str:
    return "is nowhere, the loss is flat" if low is None else f"sits at {low:.3g}"


# ------------------------------------------------------------------ wrong relations


def surface(gain: Mapping[str, Places]) -> Explorer:
    """Choose how many labels meet and how many relations are wrong: what does coupling gain?

    Args:
        gain: {task: {overlap 0 to 1: {share of wrong relations 0 to 1: points, one per seed}}}, the same places for
            every task.

    Raises:
        ValueError: no task, tasks of different places, or as ``figures.coupling_surface.grid_of``.
    """
    grids = {title(task): grid_of(own) for task, own in gain.items()}
    if len({tuple(map(tuple, grid[:2])) for grid in grids.values()}) != 1:
        raise ValueError("surface: one task or more, of the same overlaps and shares")
    overlaps, wrongs = ({f"{100 * share:g} %": share for share in shares} for shares in next(iter(grids.values()))[:2])

    def draw(task: str, overlap: str, wrong: str) -> Drawing:
        return _row(task, grids[task], list(overlaps).index(overlap), list(wrongs).index(wrong))

    return Explorer(
        "How wrong may what you know beforehand be? Find the share of wrong relations from which coupling hurts; does "
        "it move as more images have both labels?",
        {"task": tuple(grids), "overlap": tuple(overlaps), "wrong": tuple(wrongs)},
        {"task": next(iter(grids)), "overlap": next(iter(overlaps)), "wrong": next(iter(wrongs))},
        draw,
        {"overlap": "with both labels", "wrong": "wrong relations"},
    )


def _row(task: str, grid: tuple[list[float], list[float], ndarray, ndarray, ndarray], o: int, w: int) -> Drawing:
    overlaps, wrongs, *tables = grid
    mean, low, high = (table[:, o] for table in tables)
    x = 100 * np.array(wrongs)
    figure = new(11, 5.2)
    ax = figure.subplots()
    for place, other in enumerate(tables[0].T):
        if place != o:
            ax.plot(x, other, color=GREY, lw=1.5, ls=":", label="other overlaps" if place == (o == 0) else None)
    known = np.isfinite(low)
    colour, marker = look("C (study)")
    ax.vlines(x[known], low[known], high[known], color=colour, lw=4)
    ax.plot(x, mean, marker=marker, color=colour, lw=2.4, ms=9, mec=BLACK, label=f"overlap {100 * overlaps[o]:g} %")
    ax.plot(x[w], mean[w], "o", color="none", ms=20, mec=RED, mew=3, label="your place")
    ax.axhline(0, color=BLACK, lw=1)
    ends = [tables[0].min(), tables[0].max(), *low[known], *high[known], 0]
    margin = 0.08 * (max(ends) - min(ends) or 1)
    ax.set(xlabel="wrong relations (%)", ylabel=OVER, title=f"{task}, bars: 95 % intervals", xticks=x)
    ax.set(ylim=(min(ends) - margin, max(ends) + margin))
    ax.grid(alpha=0.3)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3, handlelength=3)
    bars = f"[{low[w]:+.2f}, {high[w]:+.2f}]" if known[w] else "(a single run)"
    return Drawing(
        "explore-prior",
        figure,
        {"means": mean, "place": [overlaps[o], wrongs[w]]},
        f"Gain over no coupling of {task} over the share of wrong relations, with 95 % intervals, where "
        f"{100 * overlaps[o]:g} % of the images have both labels; your place is ringed, other overlaps are dotted.",
        f"{task}, {100 * overlaps[o]:g} % of the images with both labels, {x[w]:g} % of the relations wrong: coupling "
        f"gains {mean[w]:+.2f} points {bars}. {_hurts(wrongs, mean, high)}.",
        trained={"means": POINTS},
    )


def _hurts(wrongs: Sequence[float], mean: ndarray, high: ndarray) -> str:
    """From which share that was tried on coupling hurts, and where the straight line between the means meets 0."""
    below = np.flatnonzero(mean < 0)
    if not len(below):
        return "It hurts at no share that was tried"
    first = int(below[0])
    clearly = "clearly hurts" if high[first] < 0 else "hurts, not clearly,"
    meets = crossing(wrongs, mean)
    between = f" (between the means, from {100 * meets:.0f} % on)" if first else ""
    return f"It {clearly} from {100 * wrongs[first]:g} % wrong on{between}"


# ------------------------------------------------------------------ the relations themselves

NONE = "no unit"
SHARP, PRINTED = "T = 0.1", "T = 1"


def relations() -> Explorer:
    """Add or take away one relation: how do the soft label and the foretold units of a face change?"""
    study = printed("study")
    faces = [name for k, name in enumerate(study.classes) if (study.weight[k] == 1).any()]

    @cache
    def labels(face: str) -> tuple[int, ...]:
        if face == NONE:
            return ()
        own = study.weight[study.classes.index(face)] == 1  # prototypical: everybody shows them
        return tuple(int(name[2:]) for name, there in zip(study.attributes, own, strict=True) if there)

    def draw(source: From, expression: str, unit: str, face: str) -> Drawing:
        return _relations(printed(source), source, expression, unit, face, labels(face))

    return Explorer(
        "The face shows an expression's prototypical units. Which one relation more, or less, takes its soft label "
        "away from that expression? Why does T = 1 hardly notice? What do you see on a face without any unit?",
        {"source": get_args(From), "expression": study.classes, "unit": study.attributes, "face": (NONE, *faces)},
        {"source": "study", "expression": "happiness", "unit": "AU4", "face": "happiness"},
        draw,
        {"source": "relations by", "expression": "toggle: row", "unit": "toggle: unit", "face": "face shows"},
    )


def toggled(table: Relations, expression: str, unit: str) -> Relations:
    """The table with one relation more or less: w and p become 0 where w was above 0, and 1 where it was 0."""
    probability, weight = table.probability.clone(), table.weight.clone()
    cell = table.classes.index(expression), table.attributes.index(unit)
    probability[cell] = weight[cell] = float(weight[cell] == 0)
    return replace(table, probability=probability, weight=weight)


def _relations(table: Relations, source: str, expression: str, unit: str, face: str, units: Sequence[int]) -> Drawing:
    after = toggled(table, expression, unit)
    y = active(units, table)
    soft = [softened(y, each, (1.0, 0.1)) for each in (table, after)]
    q = [_foretold(own[SHARP], each) for own, each in zip(soft, (table, after), strict=True)]
    figure = new(13, 8.6)
    panels = figure.subplot_mosaic([["table", "table"], ["soft", "units"]], width_ratios=(1, 1.9), height_ratios=(1, 1))
    _table(panels["table"], after, expression, unit, units)
    _soft(panels["soft"], table.classes, soft)
    _units(panels["units"], table.attributes, q, units)
    panels["table"].set_title(f"relations w by the {source}; ringed: toggled; bold: active on the face")
    added = "added" if after.weight.sum() > table.weight.sum() else "taken away"
    k = int(np.argmax(np.abs(soft[1][SHARP] - soft[0][SHARP])))
    a = int(np.argmax(np.abs(q[1] - q[0])))
    told = "; ".join(f"{soft[0][rule][k]:.2f} → {soft[1][rule][k]:.2f} at {rule}" for rule in (PRINTED, SHARP))
    same = np.ptp([own[SHARP] for own in soft], axis=0).max() < 1e-6
    told = "its soft label stays as it is" if same else f"the soft label of {table.classes[k]} {told}"
    return Drawing(
        "explore-relations",
        figure,
        {"weights": after.weight.numpy(), "soft labels": [[own[rule] for rule in (PRINTED, SHARP)] for own in soft],
         "q": q},
        f"Above, the table of {len(table.classes)} expressions by {len(table.attributes)} action units, darker for "
        "larger weights, the toggled cell ringed, active units named in bold. Below left, the face's soft label at two "
        "temperatures before and after; below right, the probability of every unit that follows, before and after.",
        f"{unit} with {expression} {added}, a face with {'no unit' if face == NONE else f'the units of {face}'}: "
        f"{told}; the unit whose q changes most is {table.attributes[a]}, "
        f"{q[0][a]:.2f} → {q[1][a]:.2f}.",
    )  # fmt: skip


def _foretold(classes: ndarray, table: Relations) -> ndarray:
    """Eq. (2) with the soft label (K,) as the predicted classes: q (M,)."""
    known = table.probability.double()
    return mixture(known.new_tensor(classes).unsqueeze(0), known)[0].numpy()


def _table(ax: Axes, table: Relations, expression: str, unit: str, units: Sequence[int]) -> None:
    ax.imshow(table.weight.numpy(), cmap="Blues", vmin=0, vmax=1.8, aspect="auto")
    for (k, a), value in np.ndenumerate(table.weight.numpy()):
        if value:
            ax.text(a, k, f"{value:.2g}", ha="center", va="center", fontsize=10)
    at = table.attributes.index(unit), table.classes.index(expression)
    ax.plot(*at, "s", color="none", ms=32, mec=RED, mew=3.5, clip_on=False)
    ax.set_xticks(range(len(table.attributes)), table.attributes)
    ax.set_yticks(range(len(table.classes)), table.classes)
    _bold(ax, units)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)


def _bold(ax: Axes, units: Sequence[int]) -> None:
    for text in ax.get_xticklabels():
        there = int(text.get_text()[2:]) in units
        text.set(weight="bold" if there else "normal", color=BLACK if there else GREY, fontsize=11)


def _soft(ax: Axes, names: Sequence[str], soft: Sequence[Mapping[str, ndarray]]) -> None:
    for rule, colour, marker, aside in ((PRINTED, BLUE, "o", -0.18), (SHARP, RED, "s", 0.18)):
        at = np.arange(len(names)) + aside
        ax.hlines(at, soft[0][rule], soft[1][rule], color=colour, lw=3)
        ax.plot(soft[0][rule], at, marker, color="white", ms=11, mec=colour, mew=2, clip_on=False)
        ax.plot(
            soft[1][rule], at, marker, color=colour, ms=7, mec=BLACK, clip_on=False, zorder=3, label=f"{rule}, after"
        )
    ax.axvline(1 / len(names), color=GREY, ls="--", lw=1.5)
    ax.set(xlim=(-0.04, 1.04), ylim=(len(names) - 0.5, -0.5), xlabel="soft label (dashed: uniform)")
    ax.set_yticks(range(len(names)), names)
    ax.set_title("soft label; hollow: before")
    ax.legend(loc="lower right")


def _units(ax: Axes, names: Sequence[str], q: Sequence[ndarray], units: Sequence[int]) -> None:
    at = np.arange(len(names))
    ax.vlines(at, q[0], q[1], color=RED, lw=3)
    ax.plot(at, q[0], "s", color="white", ms=11, mec=RED, mew=2, clip_on=False)
    ax.plot(at, q[1], "s", color=RED, ms=7, mec=BLACK, clip_on=False, zorder=3)
    ax.set(
        ylim=(-0.05, 1.05), xlim=(-0.6, len(names) - 0.4), title="q of the units, classes as the soft label at T = 0.1"
    )
    ax.set_xticks(at, [name[2:] for name in names])
    ax.set_xlabel("action unit")
    ax.grid(axis="y", alpha=0.3)
    for text, name in zip(ax.get_xticklabels(), names, strict=True):
        text.set_weight("bold" if int(name[2:]) in units else "normal")
