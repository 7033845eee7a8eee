"""Transfer on the toy plane: gains in the ten sets, and along slides of one template over another."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mtlib import toy
from mtlib.experiments import sos_toy
from mtlib.experiments import transfer_summary as summary
from mtlib.experiments import transfer_toy as transfer
from mtlib.figures import BLACK, BLUE, GREEN, GREY, PINK, RED, SKY, Drawing, dots, new
from mtlib.metrics.intervals import interval

GAIN = "gain over single-task (points)"
POINTS = 6.0  # that a mean of few short runs may move between machines
# Colour, marker and line of an arm.
LOOKS = {
    transfer.SHARED: (BLUE, "o", "-"),
    summary.CHOSEN: (RED, "s", "--"),
    summary.OWN: (PINK, "D", ":"),
}
# Colour, hatch and name of what a template covers, by the two labels.
REGIONS = {(1, 0): (GREEN, "", "task 1 only"), (0, 1): (SKY, "////", "task 2 only"), (1, 1): (BLACK, "", "both")}
NAMES = {transfer.SHARED: "sharing with the partner", summary.CHOSEN: "blind to the partner (λ chosen on validation)",
         summary.OWN: "blind to the partner (λ chosen for each task)"}  # fmt: skip


def look(arm: str) -> tuple[str, str, str]:
    """Colour, marker and line of an arm."""
    return LOOKS.get(arm, (RED, "^", "-."))


def named(arm: str) -> str:
    """An arm as people call it: "adversarial 0.1" is "blind to the partner (λ = 0.1)"."""
    return NAMES.get(arm, f"blind to the partner (λ = {arm.split()[-1]})")


def thumbnail(ax: Axes, pair: transfer.Pair, cells: int = 120) -> None:
    """Two templates on the square: what is task 1 only, task 2 only (hatched) and both, as in ``REGIONS``."""
    x = sos_toy.grid(cells)
    axis = x[:cells, 0].numpy()
    y = toy.labels(pair, x)
    for value, (colour, hatch, _) in REGIONS.items():
        where = (y == torch.tensor(value)).all(1).reshape(cells, cells).double().numpy()
        if where.any():
            filled = ax.contourf(axis, axis, where, levels=[0.5, 1.5], colors=[colour], hatches=[hatch])
            filled.set(edgecolor="white", linewidth=0)
    ax.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color=GREY)


def thumbnails(ax: Axes, places: Sequence[str]) -> None:
    """Small drawings of the places in a row, an axis of their own above that of the numbers."""
    ax.axis("off")
    for at, place in enumerate(places):
        box = ax.inset_axes((at - 0.47, 0.0, 0.94, 1.0), transform=ax.get_xaxis_transform())
        thumbnail(box, transfer.PAIRS[place])


# ------------------------------------------------------------------ the ten sets


def sets(rows: pd.DataFrame, arms: Sequence[str] = (transfer.SHARED, summary.CHOSEN), stamp: str = "") -> Drawing:
    """Gains in each toy set, from the largest overlap to the smallest, the set drawn above.

    Args:
        rows: as ``transfer_toy.train`` gives them; lambda is chosen here, on validation points.
        arms: which.  stamp: how large the evidence is.

    Raises:
        ValueError: no row of a toy set, or none of an arm.
    """
    own = _rows(rows, "sets")
    found = {arm: summary.gains(own, arm) for arm in arms}
    places = sorted(next(iter(found.values())).columns, key=transfer.overlap, reverse=True)
    figure = new(max(7.0, 1.5 + 1.3 * len(places)), 6.2)
    above, ax = figure.subplots(2, 1, height_ratios=(1, 3.6), sharex=True)
    ax.set_xlim(-0.6, len(places) - 0.4)
    ax.set_ylim(*dots.limits([gain[place].tolist() for gain in found.values() for place in places], 0.0))
    step = 0.8 / len(arms)
    for k, (arm, gain) in enumerate(found.items()):
        for at, place in enumerate(places):
            where = at + step * (k - (len(arms) - 1) / 2)
            dots.spread(ax, where, gain[place].tolist(), *look(arm)[:2], upright=True, aside=0.11)
    for edge in range(1, len(places)):
        ax.axvline(edge - 0.5, color=GREY, lw=0.6, alpha=0.5)
    thumbnails(above, places)
    ax.set_xticks(range(len(places)), [f"{place}\n{transfer.overlap(place):.2f}" for place in places])
    _frame(ax, "set, and overlap of its two tasks (intersection over union)")
    _key(figure, arms)
    arrays = {f"{named(arm)}: means": [float(gain[place].mean()) for place in places] for arm, gain in found.items()}
    return Drawing(
        "transfer-sets",
        figure,
        {"overlap": [transfer.overlap(place) for place in places], **arrays},
        f"{len(places)} columns, one per toy set, by falling overlap, each with a small drawing of its two templates. "
        f"Gain over a single-task network for {' and '.join(map(named, arms))}: a dot per seed (mean of the two "
        "directions), mean and 95 % interval, with a line at zero.",
        _stamped(stamp, "95 % intervals, each by itself: " + "; ".join(_clear(arm, found[arm]) for arm in arms) + "."),
        trained=dict.fromkeys(arrays, POINTS),
    )


# ------------------------------------------------------------------ slides


def slides(rows: pd.DataFrame, arms: Sequence[str] = (transfer.SHARED, "adversarial 0.1"), stamp: str = "") -> Drawing:
    """Gains along each slide, from one template on the other to apart, with the templates drawn above.

    Args:
        rows: as ``transfer_toy.train`` gives them.  arms: which.  stamp: how large the evidence is.

    Raises:
        ValueError: no row of a slide, or none of an arm.
    """
    own = _rows(rows, "slide")
    found = {arm: summary.gains(own, arm) for arm in arms}
    there = next(iter(found.values())).columns
    lines = {name: [place for place in places if place in there] for name, places in transfer.SLIDES.items()}
    lines = {name: places for name, places in lines.items() if places}
    extra = [transfer.OPPOSITE] if transfer.OPPOSITE in there else []
    columns = {name: places + (extra if name == "rings" else []) for name, places in lines.items()}
    figure = new(max(8.0, 2.0 + 0.95 * sum(map(len, columns.values()))), 5.6)
    ratios = {"width_ratios": [len(own) + 0.2 for own in columns.values()], "height_ratios": (1, 4)}
    above, panels = figure.subplots(2, len(columns), squeeze=False, sharey="row", sharex="col", **ratios)
    panels[0].set_ylim(*_ends([gain[place].tolist() for gain in found.values() for place in there]))
    for top, ax, (name, places) in zip(above, panels, columns.items(), strict=True):
        ax.set_xlim(-0.6, len(places) - 0.4)
        for arm, gain in found.items():
            _line(ax, gain[lines[name]], *look(arm))
            for place in set(places) - set(lines[name]):
                _line(ax, gain[[place]], *look(arm), start=len(places) - 1)
        thumbnails(top, places)
        ax.set_xticks(range(len(places)), [_tick(place) for place in places])
        _frame(ax, f"overlap of two {name} (intersection over union)")
        ax.tick_params(labelleft=True)
    panels[-1].set_ylabel("" if len(panels) > 1 else GAIN)
    _key(figure, arms, band=True)
    arrays = {
        f"{name}, {named(arm)}: means": [float(gain[place].mean()) for place in places]
        for name, places in columns.items()
        for arm, gain in found.items()
    }
    return Drawing(
        "transfer-slides",
        figure,
        {f"overlap of {name}": [transfer.overlap(place) for place in own] for name, own in columns.items()} | arrays,
        f"A panel for each slide ({', '.join(columns)}): gain over a single-task network for "
        f"{' and '.join(map(named, arms))}, mean with 95 % band, from one template on the other to apart, with the "
        "two templates drawn above every place and a line at zero."
        + (" At the right of the rings, by itself, a ring with its own complement." if extra else ""),
        _stamped(stamp, "95 % intervals, each by itself: " + "; ".join(_along(arm, found[arm], lines) for arm in arms)
                 + "."),
        trained=dict.fromkeys(arrays, POINTS),
    )  # fmt: skip


def _line(ax: Axes, gain: pd.DataFrame, colour: str, marker: str, style: str, start: int = 0) -> None:
    """Means with a band of 95 % intervals, or a bar for a place by itself."""
    x = np.arange(start, start + gain.shape[1])
    mean = gain.mean().to_numpy()
    ax.plot(x, mean, marker, ls=style, color=colour, lw=2.5, ms=8, mec=BLACK, mew=0.8, zorder=3)
    if len(gain) < 2:
        return
    ends = [interval(own.tolist()) for _, own in gain.items()]
    low, high = ([getattr(end, side) for end in ends] for side in ("low", "high"))
    if len(x) > 1:
        ax.fill_between(x, low, high, color=colour, alpha=0.2, lw=0)
    for at, one in zip(x, ends, strict=True):
        ax.plot([at, at], [one.low, one.high], color=colour, lw=1.5, zorder=2)


def _ends(groups: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Ends of an axis for means and intervals, without the seeds."""
    found = [interval(own) for own in groups if len(own) > 1]
    values = [0.0, *(own[0] for own in groups), *(value for one in found for value in (one.low, one.high))]
    if found:
        values = [0.0, *(value for one in found for value in (one.low, one.high))]
    margin = 0.05 * (max(values) - min(values) or 1)
    return min(values) - margin, max(values) + margin


def _tick(place: str) -> str:
    """What stands below a place: its overlap, and whether the two touch no more."""
    if place == transfer.OPPOSITE:
        return "0\ncomplement"
    value = transfer.overlap(place)
    last = place in [places[-1] for places in map(list, transfer.SLIDES.values())]
    return f"{value:.2f}" + ("\napart" if last else "\ntouching" if value == 0 else "")


# ------------------------------------------------------------------ shared


def _rows(rows: pd.DataFrame, mode: str) -> pd.DataFrame:
    own = summary.of(rows, mode)
    if own.empty:
        raise ValueError(f"{mode}: there is no row of {', '.join(transfer.MODES[mode][:3])}, ...")
    return own


def _frame(ax: Axes, below: str) -> None:
    ax.axhline(0, color=BLACK, lw=1.2)
    ax.set(xlabel=below, ylabel=GAIN)
    ax.grid(axis="y", alpha=0.3)
    ax.tick_params(axis="x", length=0)


def _key(figure: Figure, arms: Sequence[str], *, band: bool = False) -> None:
    """Below the figure: arms, what a mark stands for, and how the templates are drawn."""
    marks: dict[str, object] = {}
    for arm in arms:
        colour, marker, style = look(arm)
        marks[named(arm)] = Line2D([], [], color=colour, marker=marker, ls=style if band else "-", lw=2.5, mec=BLACK)
    marks["95 % interval" if band else "small: one seed; bar: 95 % interval"] = (
        Patch(fc=GREY, alpha=0.35) if band else Line2D([], [], color=GREY, marker="o", ms=4.5, ls="none")
    )
    marks |= {name: Patch(fc=colour, hatch=hatch, ec="white") for colour, hatch, name in REGIONS.values()}
    figure.legend(list(marks.values()), list(marks), loc="outside lower center", ncols=3)


def _clear(arm: str, gain: pd.DataFrame) -> str:
    """Where an arm clearly gains and loses."""
    signs = {place: dots.beyond([own.tolist()]) for place, own in gain.items()}
    up, down = ([place for place, sign in signs.items() if sign[side]] for side in (0, 1))
    return f"{named(arm)} clearly gains in {_listed(up)} and clearly loses in {_listed(down)}"


def _along(arm: str, gain: pd.DataFrame, lines: Mapping[str, Sequence[str]]) -> str:
    """An arm's mean gain at both ends of every slide and where it is least."""
    parts = []
    for name, places in lines.items():
        mean = gain[places].mean()
        least = mean.idxmin()
        parts.append(
            f"{name} {mean.iloc[0]:+.1f} at overlap {transfer.overlap(places[0]):.2f}, least {mean[least]:+.1f} "
            f"at {transfer.overlap(least):.2f}, {mean.iloc[-1]:+.1f} at the end"
        )
    more, less = (sum(side) for side in zip(*(dots.beyond([own.tolist()]) for _, own in gain.items()), strict=True))
    told = f"{more} places clearly above zero, {less} clearly below"
    return f"{named(arm)}: {', '.join(parts)} ({told})"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _stamped(stamp: str, text: str) -> str:
    return f"{stamp}: {text}" if stamp else text
