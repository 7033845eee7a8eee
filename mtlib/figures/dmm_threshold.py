"""Where an attribute's outputs begin to count as yes: two classes of outputs, and what every threshold gets right."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy import ndarray

from mtlib.figures import BLACK, GREY, SKY, Drawing, new
from mtlib.figures.dmm_method import LOOKS

BINS = 40


def threshold(
    z: ndarray, y: ndarray, cuts: Mapping[str, float], name: str = "the attribute", *, id: str = "dmm-threshold",
    trained: bool = False,
) -> Drawing:  # fmt: skip
    """Where an attribute's outputs begin to count as yes: two classes of outputs, and the accuracy of every threshold.

    Args:
        z: (N,) outputs.  y: (N,) labels 0/1; -1, missing, is left out.
        cuts: {what it is: threshold}, 1 to 5.
        name: of the attribute.  id: of the figure.  trained: whether the outputs come out of training.

    Raises:
        ValueError: shapes that do not fit, labels of one kind only, or numbers that are not finite.
    """
    z, y = _both(z, y, cuts)
    grid, right = accuracies(z, y)
    common = 100 * max(y.mean(), 1 - y.mean())
    at = {cut: 100 * float(np.mean((z > tau) == (y == 1))) for cut, tau in cuts.items()}
    figure = new(12.5, 5.0)
    left, panel = figure.subplots(1, 2)
    _classes(left, z, y)
    panel.step(grid, 100 * right, color=BLACK, lw=2, where="post")
    line = panel.axhline(common, color=GREY, ls="--", lw=2)
    marks = []
    for (cut, tau), (colour, style, marker) in zip(cuts.items(), LOOKS[1:] + LOOKS[:1], strict=False):
        left.axvline(tau, color=colour, ls=style, lw=2.4)
        panel.axvline(tau, color=colour, ls=style, lw=2.4, zorder=1)
        marks += panel.plot(tau, at[cut], marker, color=colour, ls=style, lw=2.4, ms=10, mec=BLACK)
    low, high = _ends(z, cuts)
    left.set(xlim=(low, high), xlabel="output", ylabel="examples", title=f"{name}: {100 * y.mean():.1f} % yes")
    panel.set(xlim=(low, high), xlabel="threshold", ylabel="accuracy (%)", title="accuracy of every threshold")
    panel.set_ylim(max(0, min(*at.values(), common) - 12), min(101, max(100 * right.max(), common) + 3))
    panel.grid(alpha=0.3)
    texts = [f"{cut}: {tau:.2f}, {at[cut]:.1f} %" for cut, tau in cuts.items()]
    answer = "no" if y.mean() < 0.5 else "yes"
    columns = 2 if len(texts) > 1 else 1
    figure.legend([*marks, line], [*texts, f'always "{answer}": {common:.1f} %'], loc="outside lower center",
                  ncols=columns, handlelength=3)  # fmt: skip
    return Drawing(
        id,
        figure,
        {"thresholds": list(cuts.values()), "accuracy": list(at.values()), "always the commoner answer": [common]},
        f"Left: how many examples have which output, of {name}, hatched for yes and plain for no, with a vertical "
        f"line for each of {', '.join(cuts)}. Right: accuracy over the threshold, the same thresholds marked; a dashed "
        f'line at {common:.1f} % is always answering "{answer}".',
        f"{name}, {100 * y.mean():.1f} % yes: {_best(at, cuts, common, answer)}.",
        trained={"thresholds": 0.5, "accuracy": 8.0, "always the commoner answer": 5.0} if trained else {},
    )


def accuracies(z: ndarray, y: ndarray) -> tuple[ndarray, ndarray]:
    """Where accuracy over the threshold steps, (K,) growing, and the share of right answers from there on, (K,).

    The first is below all outputs: there every answer is yes.

    Args:
        z: (N,) outputs.  y: (N,) labels 0/1.
    """
    order = np.argsort(z, kind="stable")
    z, y = z[order], y[order]
    yes = y.sum()
    right = np.concatenate([[yes], yes + np.cumsum(1 - 2 * y)]) / len(y)
    last = np.concatenate([[True], np.append(z[1:] > z[:-1], True)])  # equal outputs are called the same
    return np.concatenate([[z[0] - 1], z])[last], right[last]


def _both(z: ndarray, y: ndarray, cuts: Mapping[str, float]) -> tuple[ndarray, ndarray]:
    z, y = np.asarray(z, float), np.asarray(y, float)
    if z.ndim != 1 or z.shape != y.shape:
        raise ValueError(f"threshold: outputs and labels (N,), got {z.shape} and {y.shape}")
    z, y = z[y >= 0], y[y >= 0]
    if not (np.isfinite(z).all() and set(np.unique(y)) == {0.0, 1.0}):
        raise ValueError("threshold: finite outputs, and labels 0 and 1 that both occur")
    if not 0 < len(cuts) <= len(LOOKS) or not np.isfinite(list(cuts.values())).all():
        raise ValueError(f"threshold: 1 to {len(LOOKS)} finite thresholds, got {dict(cuts)}")
    return z, y


def _classes(ax: Axes, z: ndarray, y: ndarray) -> None:
    """Histograms of the outputs of both classes; their heights on a logarithmic axis where one class is rare."""
    bins = np.linspace(z.min(), z.max() + 1e-9, BINS + 1)
    ax.hist(z[y == 0], bins, color=SKY, alpha=0.8, label="no")
    ax.hist(z[y == 1], bins, histtype="step", color=BLACK, hatch="///", lw=1.4, label="yes")
    if not 0.2 < y.mean() < 0.8:
        ax.set_yscale("log")
        ax.set_ylim(0.7, None)
    ax.legend(title="labelled", loc="upper right", frameon=True, framealpha=0.9, edgecolor="white")


def _ends(z: ndarray, cuts: Mapping[str, float]) -> tuple[float, float]:
    low, high = min(z.min(), *cuts.values()), max(z.max(), *cuts.values())
    return low - 0.03 * (high - low), high + 0.03 * (high - low)


def _best(at: Mapping[str, float], cuts: Mapping[str, float], common: float, answer: str) -> str:
    text = ", ".join(f'"{cut}" ({cuts[cut]:.2f}) is right for {own:.1f} %' for cut, own in at.items())
    below = [f'"{cut}"' for cut, own in at.items() if own < common]
    told = f"worse than that: {', '.join(below)}" if below else "none is worse than that"
    return f'{text}; always "{answer}" is right for {common:.1f} %, {told}'
