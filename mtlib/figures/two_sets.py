"""The figures of notebook 01c: which loss sees which picture, and what sharing a network changes."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from torch import Tensor

from mtlib.experiments.two_sets_data import PAIRS, STAND_IN
from mtlib.experiments.two_sets_summary import DIFFERENCES
from mtlib.figures import BLACK, BLUE, GREY, PINK, RED, SKY, Drawing, dots, new

LOOK = {"MT-ST": (BLUE, "s"), "SOS-ST": (RED, "o"), "SOS-MT": (PINK, "D")}
SPREAD = 5.0  # points that a mean of few short runs may move between machines


def masks(images: Tensor, rows: Mapping[str, Sequence[bool]]) -> Drawing:
    """Which loss term sees which picture of a batch.

    Args:
        images: (B, 3, size, size) uint8.  rows: {loss term: for every picture, whether it counts there}.
    """
    n = len(images)
    figure = new(11, 2.2 + 0.55 * len(rows))
    shown, table = figure.subplots(2, 1, height_ratios=(1.6, 0.5 * len(rows)), sharex=True)
    zoom = 110 / images.shape[-1]  # 110 points wide, whatever the axes do
    for place, image in enumerate(images):
        picture = OffsetImage(image.permute(1, 2, 0).numpy(), zoom=zoom, interpolation="nearest")
        shown.add_artist(AnnotationBbox(picture, (place, 0.5), frameon=False))
    shown.set(xlim=(-0.5, n - 0.5), ylim=(0, 1))
    shown.axis("off")
    for y, counts in enumerate(rows.values()):
        for place, counted in enumerate(counts):
            table.bar(place, 0.84, 0.9, y - 0.42, color=SKY if counted else "white", edgecolor=GREY)
            table.text(place, y, "counts" if counted else "–", ha="center", va="center")
    table.set_yticks(range(len(rows)), rows)
    table.set_xticks(range(n), [f"picture {place + 1}" for place in range(n)])
    table.set_ylim(len(rows) - 0.5, -0.5)
    table.tick_params(length=0)
    table.spines[["left", "bottom"]].set_visible(False)
    whole = [name for name, counts in rows.items() if all(counts)]
    return Drawing(
        "masks",
        figure,
        {"counts": [[int(one) for one in counts] for counts in rows.values()]},
        f"A row of {n} pictures, and below it a table with a row for each of {len(rows)} loss terms, which says of "
        f"every picture whether it counts: {'; '.join(f'{name}, {sum(counts)}' for name, counts in rows.items())}.",
        f"What needs a label sees the pictures of one data base only; {' and '.join(whole)} see all of them.",
        photo=True,
    )


def changes(
    found: Mapping[str, Sequence[float]], printed: Mapping[str, float], names: Mapping[str, str], stamp: str
) -> Drawing:
    """The printed changes and ours, in panels of their own: a row of panels per pair of data bases.

    Args:
        found: {"a/MNIST/MT-ST": points, one per seed}, the pairs to draw.  printed: by the same keys.
        names: of our data, by the pair's letter, as ``Given.name``.  stamp: how large the evidence is.
    """
    letters = [letter for letter in PAIRS if any(key.startswith(f"{letter}/") for key in found)]
    figure = new(12, 1.0 + 3.7 * len(letters))
    panels = figure.subplots(len(letters), 2, squeeze=False)
    means = []
    for (left, right), letter in zip(panels, letters, strict=True):
        roles = PAIRS[letter].roles
        keys = [[f"{letter}/{role}/{first}-{second}" for first, second in DIFFERENCES] for role in roles]
        real = not names[letter].startswith(STAND_IN)
        kind = "related" if PAIRS[letter].related else "unrelated"
        theirs = [[[printed[key]] for key in own] for own in keys]
        ours = [[found.get(key, []) for key in own] for own in keys]
        every = [values for own in (theirs + ours if real else theirs) for values in own]
        _panel(left, roles, theirs, dots.limits(every, 0.0))
        left.set_title(f"({letter}) {kind} tasks. Printed, one run each:\n{roles[0]} + {roles[1]}")
        if not real:  # effects on other data have a scale of their own
            every = [values for own in ours for values in own]
        _panel(right, _played(names[letter], roles), ours, dots.limits(every, 0.0))
        right.set_title(f"({letter}) {stamp}:\n{names[letter]}")
        means += [sum(values) / len(values) for own in ours for values in own if len(values)]
    for ax in panels[-1]:
        ax.set_xlabel("change of test accuracy (points)")
    dots.key(figure, colour=GREY)
    up, down = dots.beyond(found[f"{letter}/{role}/MT-ST"] for letter in letters for role in PAIRS[letter].roles)
    more, less = dots.beyond(found[f"{letter}/{role}/SOS-MT"] for letter in letters for role in PAIRS[letter].roles)
    total = 2 * len(letters)
    return Drawing(
        "changes",
        figure,
        {"means": means, "printed": [printed[key] for key in found if key in printed]},
        "Panels side by side, printed changes on the left and ours on the right, with a line at zero; stand-ins have a "
        "scale of their own. Rows for each data base: MT minus ST (squares), SOS minus ST (circles) and SOS minus MT "
        "(diamonds); ours with one mark per seed, mean and 95 % interval.",
        f"{stamp}: of {total} data bases plain sharing (MT) clearly gains on {up} and loses on {down}; SOS is clearly "
        f"better than MT on {more} and worse on {less} (95 % intervals, each by itself).",
        trained={"means": SPREAD},
    )


def _played(name: str, roles: Sequence[str]) -> list[str]:
    """What our two data bases are; of stand-ins also which ones they stand in for."""
    own = name.removeprefix(STAND_IN).split(" + ")
    if not name.startswith(STAND_IN):
        return own
    return [f"{one.removesuffix(' of drawn faces')} (as {role})" for one, role in zip(own, roles, strict=True)]


def _panel(
    ax: Axes, bases: Sequence[str], groups: Sequence[Sequence[Sequence[float]]], ends: tuple[float, float]
) -> None:
    """One row per difference below the name of its data base."""
    ticks, labels, at = [], [], 0.0
    ax.set_xlim(*ends)
    ax.set_ylim(7.6, -0.6)
    ax.axvline(0, color=BLACK, lw=1)
    for base, group in zip(bases, groups, strict=True):
        ticks.append(at)
        labels.append(base)
        for (first, second), values in zip(DIFFERENCES, group, strict=True):
            at += 1
            ticks.append(at)
            labels.append(f"{first} − {second}")
            dots.spread(ax, at, values, *LOOK[f"{first}-{second}"])
        at += 1
    ax.set_yticks(ticks, labels)
    for text in ax.get_yticklabels():
        if text.get_text() in bases:
            text.set_weight("bold")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", alpha=0.3)
