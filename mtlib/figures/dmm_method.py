"""How DMM-CNN works: three branches on one map, pyramids of maxima, weights that freeze."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy import ndarray

from mtlib.dmm import Pyramid, sides
from mtlib.figures import BLACK, BLUE, GREEN, GREY, ORANGE, PINK, RED, SKY, Drawing, new
from mtlib.figures.sos_architecture import box

LOOKS = ((BLUE, "-", "o"), (RED, "--", "s"), (GREEN, "-.", "^"), (ORANGE, ":", "D"), (PINK, (0, (5, 1, 1, 1)), "v"))
LEAST = 1e-4  # weights below are drawn there: a logarithm has no zero, and the rule comes close to it fast


def architecture(
    channels: int = 2048, width: int = 1024, objective: int = 22, subjective: int = 18, points: int = 144, side: int = 7
) -> Drawing:
    """One shared map and three branches on it, with their sizes and losses.

    Args:
        channels, side: of the map.  width: of the last hidden layers.
        objective, subjective: attributes.  points: coordinates of landmarks.

    Raises:
        ValueError: a size below 1, or a map too small for the pyramid.
    """
    sizes = (channels, width, objective, subjective, points, side)
    if min(sizes) < 1 or side < max(sides(3)):
        raise ValueError(f"architecture: sizes of 1 or more, the map's side 3 or more; got {sizes}")
    blocks = Pyramid(sides(3)).blocks
    chains = {
        "objective": (channels, width, objective),
        "subjective": (blocks * channels, 2 * width, width, subjective),
        "landmarks": (channels, width, points),
    }
    counts = {name: [(a + 1) * b for a, b in pairwise(chain)] for name, chain in chains.items()}
    figure = new(13, 5.2)
    ax = figure.subplots()
    ax.set(xlim=(-0.1, 18.8), ylim=(-1.1, 7.3))
    ax.axis("off")
    box(ax, 0, 2.2, 2.3, 1.6, f"shared map\n{side} × {side}\n× {_size(channels)}", SKY)
    ends = {"objective": f"{objective} objective\nattributes", "subjective": f"{subjective} subjective\nattributes"}
    ends["landmarks"] = f"{points // 2} landmarks,\n{points} coordinates"
    for y, (name, chain) in zip((4.8, 2.4, 0), chains.items(), strict=True):
        _branch(ax, y, chain, "max over\nall places" if name != "subjective" else _grids(), ends[name])
        _loss(ax, y, name == "landmarks")
    for x, text in ((0, "trunk"), (3.4, "pyramid"), (7.0, "fully connected (FC)"), (12.0, "outputs"), (15.6, "losses")):
        ax.text(x, 6.7, text, weight="bold")
    ax.text(12.0, -0.95, "yes: the output is above the attribute's threshold $\\tau_j$", fontsize=11, ha="left")
    total = sum(sum(each) for each in counts.values())
    first, own = counts["subjective"][0], {name: sum(each) for name, each in counts.items()}
    return Drawing(
        "dmm-architecture",
        figure,
        {"parameters of the layers": [count for each in counts.values() for count in each]},
        f"A shared map of {side} by {side} places and {channels} channels feeds three branches. The objective one "
        f"takes each channel's maximum, then layers of {width} and {objective} units. The subjective one takes a "
        f"pyramid of {blocks} maxima per channel, {blocks * channels} numbers, then layers of {2 * width}, {width} and "
        f"{subjective}. The landmark branch takes the maximum, then {width} and {points}. Every attribute's loss has "
        "a weight of its own, that of the landmarks has beta = 0.5.",
        f"Where an attribute shows is kept for the subjective attributes only, and costs most: their branch has "
        f"{100 * own['subjective'] / total:.0f} % of the branches' {total / 1e6:.1f} million parameters, its first "
        f"layer alone {100 * first / total:.0f} %.",
    )


def _grids() -> str:
    return "max in\n" + " + ".join(str(each * each) for each in sides(3)) + " blocks"


def _branch(ax: Axes, y: float, chain: Sequence[int], pooled: str, end: str) -> None:
    """Boxes from the map to the outputs, at height ``y``."""
    at = [3.4, 7.0, 9.4][: len(chain) - 1]
    for x, size, start in zip(at, chain[:-1], (2.35, 5.55, 9.05), strict=False):
        wide = 2.15 if x < 7 else 2.0
        box(ax, x, y, wide, 1.2, f"{pooled}\n→ {_size(size)}" if x < 7 else f"FC\n{_size(size)}", ORANGE if x < 7 else
            GREEN)  # fmt: skip
        _arrow(ax, (start, 3.0 if x < 7 else y + 0.6), (x - 0.1, y + 0.6))
    last = at[-1] + 2.05
    box(ax, 12.0, y, 2.9, 1.2, end, GREY)
    _arrow(ax, (last, y + 0.6), (11.9, y + 0.6))


def _loss(ax: Axes, y: float, landmarks: bool) -> None:
    _arrow(ax, (14.95, y + 0.6), (15.5, y + 0.6))
    text = "squared distance,\nweight $\\beta$ = 0.5" if landmarks else "squared error to ±1,\nweight $\\lambda_j$ each"
    box(ax, 15.6, y, 3.1, 1.2, text, PINK)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": BLACK, "lw": 1.6})


def _size(number: int) -> str:
    return f"{number:,}".replace(",", " ")


# ------------------------------------------------------------------ pyramid


def pyramid(map: ndarray, *, tolerance: float | None = None) -> Drawing:
    """One channel of a map, and what each grid of the pyramid keeps of it.

    Args:
        map: (h, w) finite numbers, 3 by 3 or larger.
        tolerance: where the map comes out of training, how far its numbers may move between machines.

    Raises:
        ValueError: another shape, or a number that is not finite.
    """
    values = np.asarray(map, float)
    if values.ndim != 2 or min(values.shape) < 3 or not np.isfinite(values).all():
        raise ValueError(f"pyramid: a map (h, w) of finite numbers, 3 by 3 or larger; got shape {values.shape}")
    x = torch.from_numpy(values)[None, None]
    grids = {f"{side} × {side}": Pyramid((side,))(x)[0].view(side, side).numpy() for side in sides(3)}
    possible = {name: int(_may_be(values, grid).sum()) for name, grid in grids.items()}
    figure = new(13, 4.5)
    axes = figure.subplots(1, 1 + len(grids), width_ratios=(1.2, 1, 1, 1))  # wider, and the map's title is cut
    _cells(axes[0], values)
    axes[0].set_title(f"one channel, {values.shape[0]} × {values.shape[1]}\nframed: the largest", loc="center")
    for ax, (name, grid) in zip(axes[1:], grids.items(), strict=True):
        _cells(ax, grid, values.min(), values.max())
        ax.set_title(f"{name}: the largest may have\nbeen at {possible[name]} of {values.size} places", loc="center")
    left = "; ".join(f"{name}, {count}" for name, count in possible.items())
    return Drawing(
        "dmm-pyramid",
        figure,
        {"map": values} | grids | {"possible places": list(possible.values())},
        f"A map of {values.shape[0]} by {values.shape[1]} numbers, and three grids of 1, 4 and 9 blocks with the "
        f"maximum of each block; the largest number, {_number(values.max())}, has a frame wherever it stands.",
        f"Every grid keeps the largest number, {_number(values.max())}, and tells differently well where it was. "
        f"Places of {values.size} that it may have had: {left}.",
        trained={} if tolerance is None else dict.fromkeys(("map", *grids), tolerance) | {"possible places": 50.0},
    )


def _may_be(values: ndarray, grid: ndarray) -> ndarray:
    """(h, w) bool: places where the largest number could stand, going by the grid: every block of theirs has it."""
    side, (h, w) = len(grid), values.shape
    found = np.ones((h, w), bool)
    for i, j in np.ndindex(side, side):
        if grid[i, j] < grid.max():
            found[i * h // side : -(-(i + 1) * h // side), j * w // side : -(-(j + 1) * w // side)] = False
    return found


def _cells(ax: Axes, values: ndarray, low: float | None = None, high: float | None = None) -> None:
    """Numbers on a pale scale of blues, the largest framed."""
    low, high = (values.min() if low is None else low), (values.max() if high is None else high)
    ax.imshow(values, "Blues", vmin=low, vmax=high + 0.9 * (high - low or 1))  # pale: black numbers stay readable
    for (i, j), value in np.ndenumerate(values):
        if max(values.shape) <= 10:
            ax.text(j, i, _number(value), ha="center", va="center", fontsize=12 if len(values) > 3 else 16)
        if value == values.max():
            frame = {"fill": False, "ec": RED, "lw": 3.5, "clip_on": False, "zorder": 3}
            ax.add_patch(ax.bar(j, 1, 1, i - 0.5, **frame)[0])
    ax.set(xticks=[], yticks=[], xlim=(-0.5, values.shape[1] - 0.5), ylim=(values.shape[0] - 0.5, -0.5))
    ax.spines[["top", "right"]].set_visible(True)


def _number(value: float) -> str:
    return f"{value:.2g}" if abs(value) >= 0.1 else f"{round(value, 2) + 0:g}"  # short enough for a cell


# ------------------------------------------------------------------ freezing


def freezing(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> Drawing:
    """Losses and weights of tasks under Eq. (4), validation after validation.

    Args:
        curves: {task: {"loss": [at every validation], "weight": [the same number]}}, losses above 0, weights 0 or more.

    Raises:
        ValueError: no task or too many, lengths that differ, or numbers out of range.
    """
    lines = {name: (_line(name, own, "loss"), _line(name, own, "weight")) for name, own in curves.items()}
    if not 0 < len(lines) <= len(LOOKS) or len({len(line) for both in lines.values() for line in both}) != 1:
        raise ValueError(f"freezing: 1 to {len(LOOKS)} tasks, all lines of one length; got {list(curves)}")
    figure = new(12, 4.6)
    left, right = figure.subplots(1, 2)
    for (name, (loss, weight)), (colour, style, marker) in zip(lines.items(), LOOKS, strict=False):
        every = max(1, len(loss) // 8)
        look = {"color": colour, "ls": style, "lw": 2.4, "marker": marker, "ms": 7, "markevery": every}
        left.plot(range(len(loss)), loss, label=name, **look)
        right.plot(range(len(loss)), np.maximum(weight, LEAST), **look)
    left.set(title="loss", xlabel="validation", ylabel="loss", ylim=(0, None))
    right.set(yscale="log", title="weight, Eq. (4)", xlabel="validation", ylabel="weight (logarithmic)")
    right.set_ylim(LEAST / 1.5, None)
    if min(weight.min() for _, weight in lines.values()) < LEAST:
        right.set_title(f"weight, Eq. (4); below {LEAST:g} drawn there")
    for ax in (left, right):
        ax.grid(alpha=0.3)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(lines), handlelength=3.5)
    told = [f'"{name}" keeps {100 * loss[-1] / loss[0]:.0f} % of its first loss, its last weight is '
            f"{weight[-1]:.2g}" for name, (loss, weight) in lines.items()]  # fmt: skip
    return Drawing(
        "dmm-freezing",
        figure,
        {"loss": [loss for loss, _ in lines.values()], "weight": [weight for _, weight in lines.values()]},
        f"Two panels over {len(loss)} validations with a line for each of {', '.join(lines)}: losses at the left, "
        "weights at the right on a logarithmic axis.",
        f"After {len(loss) - 1} validations {'; '.join(told)}.",
    )


def _line(name: str, own: Mapping[str, Sequence[float]], kind: str) -> ndarray:
    values = np.asarray(own.get(kind, ()), float)
    least = np.finfo(float).tiny if kind == "loss" else 0.0
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all() or values.min() < least:
        raise ValueError(f"freezing: {name!r} needs a {kind} at every validation, above 0 (a weight may be 0)")
    return values
