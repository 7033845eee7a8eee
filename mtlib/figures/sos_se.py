"""The schematic of SOS-SE: a block that predicts the attributes, and weighs its channels by them."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from mtlib.figures import BLACK, GREEN, GREY, ORANGE, PINK, RED, SKY, Drawing, new
from mtlib.figures.sos_architecture import box

LINE = 1.0  # where the maps flow
BRANCH = 4.0  # where the numbers flow
PASSED, ADDED = 13.0, 14.9  # where the maps are multiplied by the gains, and added to themselves


def se_block(
    widths: Sequence[int] = (64, 64, 128, 128), common: int = 512, specific: int = 32, tasks: int = 40
) -> Drawing:
    """Fig. 3 as we read it: one block with its shapes above, the network below.

    Args:
        widths: channels of the blocks.  common, specific: features of SOS's spaces.  tasks: attributes.
    """
    figure = new(13, 7.6)
    block, network = figure.subplots(2, 1, height_ratios=(6.9, 4.6))
    _block(block, common, specific, tasks)
    _network(network, widths, tasks)
    return Drawing(
        "se-block",
        figure,
        {"channels": list(widths), "spaces": [common, specific], "attributes": [tasks]},
        "Above, a block from left to right: a convolution; a branch that averages each of its C maps, lets SOS predict "
        f"{tasks} attributes from the C numbers and turns these into C gains between 0 and 1; maps times gains; the "
        "maps as they were, added; a second convolution, batch normalisation and ReLU. Below, "
        f"{len(widths)} such blocks of {', '.join(map(str, widths))} channels, each with predictions that are compared "
        "with the labels; those of the last are reported.",
        f"Each of {len(widths)} blocks predicts all {tasks} attributes from what it has seen, and what it thinks of "
        "them decides which channels go on.",
    )


def _block(ax: Axes, common: int, specific: int, tasks: int) -> None:
    ax.set(xlim=(0, 22.6), ylim=(-0.5, 6.6))
    ax.axis("off")
    ax.set_title("one block, C channels: squeeze, predict, excite")
    for x, width, text, colour in (
        (0.1, 1.6, "maps\nin", GREY),
        (2.5, 1.9, "conv\n3 × 3", SKY),
        (16.4, 1.9, "conv\n3 × 3", SKY),
        (18.9, 1.4, "BN,\nReLU", SKY),
        (20.9, 1.6, "maps\nout", GREY),
    ):
        box(ax, x, LINE - 0.6, width, 1.2, text, colour)
    ends = ((1.75, 2.4), (4.5, PASSED - 0.45), (PASSED + 0.45, ADDED - 0.45), (ADDED + 0.45, 16.3), (18.4, 18.8),
            (20.4, 20.8))  # fmt: skip
    for start, end in ends:
        arrow(ax, (start, LINE), (end, LINE))
    ax.text(8.8, LINE + 0.12, "C × H × W", ha="center", va="bottom", fontsize=11)
    for x, sign in ((PASSED, "×"), (ADDED, "+")):
        ax.plot(x, LINE, "o", ms=24, mfc="white", mec=BLACK, mew=1.5, zorder=3)
        ax.text(x, LINE - 0.03, sign, ha="center", va="center", fontsize=18, zorder=4)

    ax.plot(5.3, LINE, "o", color=BLACK, ms=7)
    arrow(ax, (5.3, LINE), (5.3, BRANCH - 0.75))
    box(ax, 4.4, BRANCH - 0.65, 1.8, 1.3, "mean of\neach map", ORANGE)
    frame = FancyBboxPatch((6.85, 2.35), 4.9, 3.25, boxstyle="round,pad=0.05", fill=False, ls=":", edgecolor=BLACK)
    ax.add_patch(frame)
    ax.text(6.95, 5.75, "SOS", weight="bold")
    box(ax, 7.1, 4.4, 2.2, 0.9, f"common\n{common}", SKY)
    box(ax, 7.1, 2.6, 2.2, 1.2, f"{tasks} specific\nof {specific} each", GREEN)
    box(ax, 10.1, BRANCH - 0.65, 1.5, 1.3, f"{tasks} pre-\ndictions", PINK)
    for y in (4.85, 3.2):
        arrow(ax, (6.3, BRANCH), (7.0, y))
        arrow(ax, (9.4, y), (10.0, BRANCH))
    ax.text(6.42, BRANCH + 0.75, "C", ha="center", va="center", fontsize=11)
    arrow(ax, (11.7, BRANCH), (12.1, BRANCH))
    box(ax, 12.2, BRANCH - 0.65, 1.6, 1.3, "gains\n0 … 1", ORANGE)
    arrow(ax, (PASSED, BRANCH - 0.75), (PASSED, LINE + 0.5))
    ax.text(PASSED + 0.15, 2.3, "C", va="center", fontsize=11)
    arrow(ax, (10.85, BRANCH + 0.75), (10.85, 6.1), RED, "--")
    ax.text(11.05, 5.95, "compared with the labels", color="#A34700", va="center")

    ax.plot([5.3, 5.3, ADDED], [LINE, -0.2, -0.2], color=BLACK, lw=1.6, solid_capstyle="butt")
    arrow(ax, (ADDED, -0.22), (ADDED, LINE - 0.45))
    ax.text(8.8, -0.12, "as they were", ha="center", va="bottom", fontsize=11)


def _network(ax: Axes, widths: Sequence[int], tasks: int) -> None:
    step = 19.8 / len(widths)
    wide = min(3.6, step - 0.9)
    ax.set(xlim=(0, 22.6), ylim=(0.1, 4.9))
    ax.axis("off")
    ax.set_title(f"the network: {len(widths)} blocks")
    box(ax, 0.1, 0.4, 1.6, 1.2, "face", GREY)
    left = [2.5 + step * k for k in range(len(widths))]
    box(
        ax,
        left[0],
        4.0,
        left[-1] + wide - left[0],
        0.7,
        f"{tasks} labels: the losses of SOS, the same in every block",
        GREY,
    )
    for k, (x, width) in enumerate(zip(left, widths, strict=True)):
        arrow(ax, (1.8 if k == 0 else left[k - 1] + wide + 0.1, 1.0), (x - 0.1, 1.0))
        box(ax, x, 0.4, wide, 1.2, f"block {k + 1}\n{width} channels", SKY)
        arrow(ax, (x + wide / 2, 1.65), (x + wide / 2, 2.25))
        last = k == len(widths) - 1
        box(ax, x + 0.1, 2.3, wide - 0.2, 0.9, f"{tasks} predictions" + (",\nreported" if last else ""), PINK)
        arrow(ax, (x + wide / 2, 3.25), (x + wide / 2, 3.95), RED, "--")


def arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = BLACK, style: str = "-"
) -> None:
    """An arrow from start to end, which touches both."""
    look = {"arrowstyle": "->", "color": colour, "ls": style, "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, start, arrowprops=look)
