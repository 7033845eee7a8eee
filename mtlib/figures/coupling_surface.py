"""What coupling gains over the overlap of labels and the share of wrong relations; and what its figures share."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.patches import Patch
from numpy import ndarray

from mtlib.figures import BLACK, Drawing, new
from mtlib.metrics.intervals import interval

SHADES = colormaps["PuOr"].resampled(17)  # orange to violet; few, as a PNG of few colours keeps them apart
POINTS = 6.0  # that a mean of few short runs may move between machines
TITLES = {"expression": "expressions", "units": "action units"}
OVER = "gain over no coupling (points)"

Samples = Mapping[str, Sequence[float]]  # {row: points, one per seed}
Places = Mapping[float, Mapping[float, Sequence[float]]]  # {overlap: {share of wrong relations: points per seed}}


def title(task: str) -> str:
    """A task as people call it."""
    return TITLES.get(task, task)


def checked(samples: Samples, what: str) -> Samples:
    """The rows as they are.

    Raises:
        ValueError: no row, or one without a finite value for every seed.
    """
    if not samples:
        raise ValueError(f"{what}: there is nothing to draw")
    for name, values in samples.items():
        if not len(values) or not np.isfinite(np.asarray(values, float)).all():
            raise ValueError(f"{what}: {name!r} needs one finite value per seed, got {list(values)[:5]}")
    return samples


def stamped(stamp: str, text: str) -> str:
    """A finding after how large its evidence is."""
    return f"{stamp}: {text}" if stamp else text


def means(samples: Iterable[Sequence[float]]) -> list[float]:
    """The mean of each."""
    return [float(np.mean(values)) for values in samples]


def grid_of(gain: Places) -> tuple[list[float], list[float], ndarray, ndarray, ndarray]:
    """Overlaps (O,), shares of wrong relations (W,), both growing; means, lower and upper ends (W, O), points.

    The ends of a single value are infinite.

    Raises:
        ValueError: no place, overlaps of different shares, shares outside 0 to 1, or values that are missing.
    """
    overlaps, wrongs = sorted(gain), sorted(next(iter(gain.values()), ()))
    if not wrongs or any(sorted(own) != wrongs for own in gain.values()):
        raise ValueError("surface: every overlap needs the same shares of wrong relations, one or more")
    if not 0 <= min(*overlaps, *wrongs) <= max(*overlaps, *wrongs) <= 1:
        raise ValueError(f"surface: overlaps and shares are 0 to 1, got {overlaps} and {wrongs}")
    table = np.empty((3, len(wrongs), len(overlaps)))
    for column, overlap in enumerate(overlaps):
        own = checked({f"overlap {overlap:g}, wrong {w:g}": gain[overlap][w] for w in wrongs}, "surface")
        for row, values in enumerate(own.values()):
            found = interval(values) if len(values) > 1 else None
            ends = (found.low, found.high) if found else (-np.inf, np.inf)
            table[:, row, column] = float(np.mean(values)), *ends
    return overlaps, wrongs, *table


def crossing(shares: Sequence[float], mean: Sequence[float]) -> float | None:
    """The least share at which the mean, taken as straight between shares, falls below 0; None: nowhere."""
    if mean[0] < 0:
        return float(shares[0])
    for at in range(1, len(mean)):
        if mean[at] < 0:
            return float(shares[at - 1] + (shares[at] - shares[at - 1]) * mean[at - 1] / (mean[at - 1] - mean[at]))
    return None


def surface(gain: Places, task_name: str, stamp: str = "") -> Drawing:
    """Mean gain over no coupling, over the overlap of labels and the share of wrong relations.

    Args:
        gain: {overlap 0 to 1: {share of wrong relations 0 to 1: points, one per seed}}.
        task_name: of the task.  stamp: how large the evidence is.

    Raises:
        ValueError: see ``grid_of``.
    """
    overlaps, wrongs, mean, low, high = grid_of(gain)
    unclear, most = (low <= 0) & (high >= 0), max(float(np.abs(mean).max()), 0.1)
    figure = new(2.8 + 2 * len(overlaps), 2.2 + 1.1 * len(wrongs))
    ax = figure.subplots()
    image = ax.imshow(mean, cmap=SHADES, vmin=-most, vmax=most, origin="lower", aspect="auto")
    for row, column in np.ndindex(mean.shape):
        half = high[row, column] - mean[row, column]
        text = f"{mean[row, column]:+.1f}" + (f" ± {half:.1f}" if np.isfinite(half) else "")
        white = {"boxstyle": "round,pad=0.25", "fc": "white", "ec": "none", "alpha": 0.92}
        ax.text(column, row + 0.26, text, ha="center", va="center", bbox=white, zorder=4)
        if unclear[row, column]:
            ax.fill_between([column - 0.5, column + 0.5], row - 0.5, row + 0.5, fc="none", ec=BLACK, hatch="//", lw=0)
    if min(mean.shape) > 1 and mean.min() < 0 < mean.max():
        ax.contour(mean, levels=[0], colors=BLACK, linewidths=3, linestyles="--", zorder=3)
    ax.set_xticks(range(len(overlaps)), [f"{100 * overlap:g}" for overlap in overlaps])
    ax.set_yticks(range(len(wrongs)), [f"{100 * wrong:g}" for wrong in wrongs])
    ax.set(xlabel="images with labels of both tasks (%)", ylabel="wrong relations (%)", title=f"{task_name}: {OVER}")
    ax.spines[:].set_visible(False)
    figure.colorbar(image, ax=ax, label="points")
    marks = {"95 % interval holds 0": Patch(fc="white", ec=BLACK, hatch="///"),
             "mean is 0 (straight between places)": ax.plot([], [], "--", color=BLACK, lw=3)[0]}  # fmt: skip
    figure.legend(list(marks.values()), list(marks), loc="outside lower center", ncols=2)
    at = {overlap: crossing(wrongs, mean[:, column]) for column, overlap in enumerate(overlaps)}
    told = [f"{100 * k:g} %: {'at no share' if v is None else f'from {100 * v:.0f} % on'}" for k, v in at.items()]
    return Drawing(
        "coupling-surface",
        figure,
        {"means": mean, "clear": ~unclear},
        f"A map of {task_name}: images with labels of both tasks across, wrong relations upwards; each place has "
        "the mean gain over no coupling with its 95 % half-width, orange is loss and violet gain, hatched where the "
        "interval holds 0; a dashed line is where the mean is 0.",
        stamped(stamp, f"{task_name}: of {mean.size} places coupling clearly helps at {int((low > 0).sum())} and "
        f"clearly hurts at {int((high < 0).sum())}; its mean is below 0, by overlap, {'; '.join(told)} "
        "of wrong relations."),
        trained={"means": POINTS, "clear": 1.0},
    )  # fmt: skip
