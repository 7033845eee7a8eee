"""The schematic of SOS: what reads what, and what is kept apart."""

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyBboxPatch

from mtlib.experiments import sos_toy
from mtlib.figures import BLACK, GREEN, GREY, ORANGE, PINK, RED, SKY, Drawing, new

OUTPUTS = (r"$\hat y_1$", r"fake $\tilde y_2^1$", r"fake $\tilde y_1^2$", r"$\hat y_2$")


def architecture() -> Drawing:
    """Fig. 2: plain multi-task learning beside SOS, for two tasks, with the toy networks' sizes."""
    figure = new(10, 4.3)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.9))
    for ax, width in ((left, 5.4), (right, 10.2)):
        ax.set(xlim=(0, width), ylim=(-0.6, 5))
        ax.axis("off")
    st, mt, sos = (sos_toy.sizes(model) for model in sos_toy.MODELS)
    left.set_title("MT: one space for all")
    for x, name, colour in ((0.1, "x", GREY), (1.4, "trunk", SKY), (2.7, "shared\n$h$", SKY)):
        box(left, x, 2.0, 0.9, 1.0, name, colour)
    for y, i in ((3.4, 1), (0.8, 2)):
        box(left, 4.2, y, 1.0, 0.8, rf"$\hat y_{i}$", GREY)
        _arrow(left, (3.65, 2.5), (4.15, y + 0.4), BLACK)
    _arrow(left, (1.05, 2.5), (1.35, 2.5), BLACK)
    _arrow(left, (2.35, 2.5), (2.65, 2.5), BLACK)
    left.text(0.1, -0.5, f"toy size: {mt[0]} parameters\n(ST, two networks: {st[0]})", fontsize=10)

    right.set_title("SOS: common, specific, and fake heads (dashed)")
    box(right, 0.1, 2.0, 0.9, 1.0, "x", GREY)
    box(right, 1.4, 2.0, 1.0, 1.0, "trunk", SKY)
    _arrow(right, (1.05, 2.5), (1.35, 2.5), BLACK)
    for y, name, colour in (
        (3.9, "specific $h_1^s$", GREEN),
        (2.1, "common $h^c$", SKY),
        (0.3, "specific $h_2^s$", GREEN),
    ):
        box(right, 3.5, y, 2.0, 0.8, name, colour)
        _arrow(right, (2.45, 2.5), (3.45, y + 0.4), BLACK)
    for y, name in zip((3.9, 2.7, 1.5, 0.3), OUTPUTS, strict=True):
        box(right, 8.2, y, 1.8, 0.8, name, PINK if "fake" in name else GREY)
    for start, end in ((4.4, 4.4), (2.6, 4.2), (0.6, 0.6), (2.4, 0.8)):
        _arrow(right, (5.55, start), (8.15, end), BLACK)
    for start, end in ((4.2, 3.2), (2.55, 3.0), (0.8, 1.8), (2.45, 2.0)):
        _arrow(right, (5.55, start), (8.15, end), RED, "--")
    for x, top, bottom in ((5.0, 3.85, 2.95), (5.0, 2.05, 1.15), (4.05, 3.85, 1.15)):
        right.annotate(
            "", (x, bottom), (x, top), arrowprops={"arrowstyle": "<->", "color": ORANGE, "lw": 2.5}, zorder=0
        )
    right.text(3.5, 4.8, "orange: kept uncorrelated", color="#8A5A00", fontsize=10)
    right.text(3.5, -0.5, f"toy size: {sos[0]} parameters, and {sos[1]} in the fake heads", fontsize=10)
    return Drawing(
        "architecture",
        figure,
        {"parameters that predict": [st[0], mt[0], sos[0]], "fake heads": [sos[1]]},
        "Left: an input feeds a trunk and one shared space, which both task heads read. Right: the trunk feeds a "
        "common space and one specific space per task, all kept uncorrelated. The head of a task reads the common "
        "space and its own; dashed arrows lead from the common space and the other task's space to fake heads.",
        "Solid arrows must predict well, dashed ones must fail: then what a task needs sits in its own space.",
    )


def box(ax: Axes, x: float, y: float, width: float, height: float, text: str, colour: str) -> None:
    """A box with a text, in a pale shade of its colour."""
    pale = [1 - 0.35 * (1 - part) for part in to_rgb(colour)]  # opaque: an arrow may pass behind
    ax.add_patch(FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0.05", facecolor=pale, edgecolor=BLACK))
    ax.text(x + width / 2, y + height / 2, text, ha="center", va="center")


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str, style: str = "-") -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": colour, "ls": style, "lw": 1.6})
