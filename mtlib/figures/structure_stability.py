"""Which learned edges last over seeds, as beta grows, and whether those that last are true."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy import ndarray

from mtlib.figures import BLACK, BLUE, GREY, RED, Drawing, new

KINDS = {"every seed": (BLUE, "-", "o"), "some seeds": (RED, "--", "s")}
FEW = 5  # edges, below which a share says little: drawn hollow


def lasting(found: Mapping[float, Mapping[str, Mapping[str, int]]], chance: float, pairs: int, stamp: str) -> Drawing:
    """How many edges are learned with every seed and how many with some only, and which share of either is true.

    Args:
        found: {beta: {"every seed": {"edges", "true"}, "some seeds": {"edges", "true"}}}; betas may be strings, as in a
            record.
        chance: share of all pairs that is true.  pairs: how many pairs there are.  stamp: what the runs were.

    Raises:
        ValueError: no beta, a beta that is not above 0, or counts that are missing.
    """
    by = {float(beta): counts for beta, counts in found.items()}
    if not by or min(by) <= 0 or any(set(counts) != set(KINDS) for counts in by.values()):
        raise ValueError(f"lasting: betas above 0 with counts for {', '.join(KINDS)}; got {dict(found)}")
    betas = sorted(by)
    edges = {kind: np.array([by[beta][kind]["edges"] for beta in betas]) for kind in KINDS}
    true = {kind: np.array([by[beta][kind]["true"] for beta in betas]) for kind in KINDS}
    figure = new(12, 4.6)
    left, right = figure.subplots(1, 2)
    marks = [_line(left, betas, 100 * edges[kind] / pairs, edges[kind], kind) for kind in KINDS]
    for kind in KINDS:
        share = 100 * true[kind] / np.maximum(edges[kind], 1)
        _line(right, betas, np.where(edges[kind] > 0, share, np.nan), edges[kind], kind)
    left.set(ylabel=f"of {pairs} pairs (%)", title="pairs that have an edge …", ylim=(-3, 103))
    right.set(ylabel="of these edges, true (%)", title="… and are they true?")
    right.axhline(100 * chance, color=BLACK, ls=":", lw=2)
    right.annotate("chance", (1, 100 * chance), (-3, 4), xycoords=("axes fraction", "data"),
                   textcoords="offset points", ha="right")  # fmt: skip
    right.set_ylim(-3, None)
    for ax in (left, right):
        ax.set(xscale="log", xlabel="β, weight of ‖L‖² (logarithmic)")
        ax.grid(alpha=0.3)
    hollow = right.plot([], [], "o", mfc="white", mec=GREY, ms=7)[0]
    names = ["with every seed", "with some seeds only", f"fewer than {FEW} edges"]
    figure.legend([*marks, hollow], names, loc="outside lower center", ncols=3)
    return Drawing(
        "edge-stability",
        figure,
        {"edges": np.stack(list(edges.values())), "true": np.stack(list(true.values()))},
        "Two panels over beta. Left, how many pairs have an edge with every seed (solid, circles) and with some seeds "
        "only (dashed, squares). Right, which share of either is true; dotted is chance.",
        f"{stamp}: {_told(betas, edges, true, chance)}",
        trained={"edges": 80.0, "true": 30.0},
    )


def _line(ax: Axes, betas: list[float], values: ndarray, counts: ndarray, kind: str) -> object:
    colour, line, marker = KINDS[kind]
    drawn = ax.plot(betas, values, color=colour, ls=line, marker=marker, lw=2, ms=6)[0]
    few = (counts > 0) & (counts < FEW)
    ax.plot(np.array(betas)[few], values[few], marker, color=colour, mfc="white", ms=6, zorder=3)
    return drawn


def _told(betas: list[float], edges: Mapping[str, ndarray], true: Mapping[str, ndarray], chance: float) -> str:
    """At the beta where most edges are unsure, the two shares."""
    k = int(edges["some seeds"].argmax())
    parts = []
    for kind, count in edges.items():
        share = f"{100 * true[kind][k] / count[k]:.0f} %" if count[k] else "none"
        parts.append(f"{count[k]} edges are there with {kind} ({share} true)")
    return f"at β = {betas[k]:.2g}, {' and '.join(parts)}; chance is {100 * chance:.0f} %."
