"""Figures from arrays: drawn for a projector, shown with alt text and a finding, compared by their arrays."""

import base64
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from IPython.display import Markdown, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from mtlib import mime

MOST = 400  # values of an array that a notebook carries; a larger one is sampled evenly

# Okabe and Ito's colours, told apart under every common colour blindness; never the only carrier.
BLACK, ORANGE, SKY, GREEN, BLUE, RED, PINK = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
GREY = "#8C8C8C"
FONT = 12  # points at 10 inches of width: readable from the last row
DPI = 100


@dataclass(frozen=True)
class Drawing:
    """A figure with what it shows.

    Args:
        id: name of the figure, unique in its notebook.
        figure: drawn.
        arrays: {name: numbers} that the figure shows; tests compare these.
        alt: what is to be seen, for those who cannot.
        finding: one sentence, what to take away.
        trained: names of arrays that come out of training, which floating point moves between machines:
            {name: largest mean absolute difference allowed}. All others must agree to 1e-6.
        photo: shows pictures: twice the colours, dithered, where a diagram has even areas.
    """

    id: str
    figure: Figure
    arrays: Mapping[str, object]
    alt: str
    finding: str
    trained: Mapping[str, float] = field(default_factory=dict)
    photo: bool = False


def new(width: float = 10, height: float = 4) -> Figure:
    """An empty figure in the course's style, sizes in inches."""
    import matplotlib as mpl

    mpl.rcParams.update({
        "font.size": FONT, "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": FONT,
        "axes.labelsize": FONT, "legend.frameon": False, "axes.titlelocation": "left",
    })  # fmt: skip
    return Figure(figsize=(width, height), layout="constrained")


def png(figure: Figure, photo: bool = False) -> bytes:
    """The figure as PNG of few colours, a third of the bytes; the same figure gives the same bytes."""
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI)
    flat = Image.open(drawn).convert("RGB")
    flat = (
        flat.quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
        if photo
        else flat.quantize(128, dither=Image.Dither.NONE)
    )
    flat.save(small, "png", optimize=True)
    return small.getvalue()


def show(drawing: Drawing) -> None:
    """Display a drawing in a notebook: picture, alt text, arrays, and the finding below.

    With ``MTLIB_FIGURES=arrays`` in the environment without the picture, for re-runs that compare arrays only.
    """
    content = {"id": drawing.id, "alt": drawing.alt, "finding": drawing.finding, "arrays": packed(drawing)}
    bundle = {"text/plain": f"Figure {drawing.id}: {drawing.alt}", mime.FIGURE: content}
    if os.environ.get("MTLIB_FIGURES") != "arrays":
        bundle["image/png"] = base64.b64encode(png(drawing.figure, drawing.photo)).decode()
    display(bundle, raw=True, metadata={"image/png": {"alt": drawing.alt}})
    display(Markdown(f"**Finding.** {drawing.finding}"))


def packed(drawing: Drawing) -> dict[str, dict]:
    """The arrays as JSON: shape, values (evenly sampled where there are many) and how they are compared."""
    unknown = set(drawing.trained) - set(drawing.arrays)
    if unknown:
        raise ValueError(f"figure {drawing.id}: trained names no array: {sorted(unknown)}")
    arrays = {}
    for name, numbers in drawing.arrays.items():
        array = np.asarray(numbers, dtype=np.float64)
        flat = array.ravel()
        if flat.size > MOST:
            flat = flat[np.linspace(0, flat.size - 1, MOST).astype(int)]
        if not np.isfinite(flat).all():
            raise ValueError(f"figure {drawing.id}: array {name!r} holds a value that is not finite")
        arrays[name] = {
            "shape": list(array.shape),
            "values": [float(f"{value:.9g}") for value in flat],
            "kind": "trained" if name in drawing.trained else "exact",
            "tolerance": float(drawing.trained.get(name, 1e-6)),
        }
    return arrays


def square(ax: Axes, title: str = "", *, labels: bool = True) -> Axes:
    """An axis for the toy plane: equal scales, -1 to 1."""
    ax.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xticks=(-1, 0, 1), yticks=(-1, 0, 1), title=title)
    ax.spines[["top", "right"]].set_visible(True)
    if labels:
        ax.set(xlabel="$X^0$", ylabel="$X^1$")
    else:
        ax.tick_params(labelbottom=False, labelleft=False)
    return ax
