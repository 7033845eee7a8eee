"""How two tasks are coupled: the forms of the matching loss and where each of them ends, and soft labels."""

import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy import ndarray
from torch import Tensor

from mtlib import coupling
from mtlib.coupling import Relations, indicators, matching_loss, mixture, posterior
from mtlib.coupling.matching import MatchingForm
from mtlib.coupling.printed import relations
from mtlib.figures import BLACK, BLUE, GREEN, GREY, ORANGE, PINK, RED, Drawing, new

FORMS = ("printed", "mended", "divergence")
LOOKS = ((BLUE, "-", "o"), (RED, "--", "s"), (GREEN, "-.", "^"), (ORANGE, ":", "D"), (PINK, (0, (5, 1, 1, 1)), "v"))
OF_FORM = dict(zip(("mended", "printed", "divergence"), LOOKS, strict=False))
P = np.unique(np.concatenate([np.geomspace(1e-3, 0.05, 20), np.linspace(0.05, 0.95, 91)]))
P = np.unique(np.concatenate([P, 1 - P]).round(9))  # where curves are drawn; its ends stand for 0 and 1
STEPS, RATE = 300, 0.2
BAYES = "Bayes' rule"
TRACED = {  # {what is traced: its axis}
    "loss": "loss (logarithmic)",
    "mean p": "mean p of the units",
    "largest class": "largest p(expression)",
}
# {face: its action units}; all others are absent.
FACES = {"AU12, AU25 and AU6": (12, 25, 6), "AU4 alone": (4,), "no unit": ()}

# ------------------------------------------------------------------ the matching loss


def along(p: ndarray, q: ndarray | float, form: MatchingForm) -> ndarray:
    """(N,) the matching loss of one attribute at each p; p and q (N,), or one q for all, inside 0 to 1."""
    p, q = np.broadcast_arrays(np.asarray(p, float), np.asarray(q, float))

    def one(p: Tensor, q: Tensor) -> Tensor:
        return matching_loss(p.logit().view(1, 1), q.view(1, 1), form=form)

    return torch.vmap(one)(torch.tensor(p), torch.tensor(q)).numpy()


def lowest(loss: ndarray) -> float | None:
    """At which of the N points ``P`` a loss (N,) is least: 0 or 1 at their ends, None where all are alike."""
    at = int(np.argmin(loss))
    if np.ptp(loss) < 1e-9:
        return None
    return 0.0 if at == 0 else 1.0 if at == len(P) - 1 else float(P[at])


@cache
def descent(form: MatchingForm, steps: int = STEPS, rate: float = RATE) -> Mapping[str, ndarray]:
    """Minimise the matching loss alone, over action units and expressions, by the study's table: no image, no label.

    From p = 0.5 for every unit and uniform expressions, by Adam on free logits in float64.

    Args:
        steps: updates.  rate: of Adam.

    Returns:
        "loss", "mean p", "largest class", each (steps + 1,); "p" (17,), "q" (17,), "classes" (7,) at the end.
    """
    table = relations("study")
    known, listed = table.probability.double(), table.listed
    logits, z = (torch.zeros(1, n, dtype=torch.float64, requires_grad=True) for n in reversed(known.shape))
    adam = torch.optim.Adam([logits, z], lr=rate)
    trace = []
    for step in range(steps + 1):
        classes = z.softmax(1)
        q = mixture(classes, known)
        loss = matching_loss(logits, q, listed, form)
        p = logits.sigmoid()
        trace.append((loss.item(), p[:, listed].mean().item(), classes.max().item()))
        if step < steps:
            adam.zero_grad()
            loss.backward()
            adam.step()
    ends = {"p": p[:, listed], "q": q[:, listed], "classes": classes}
    found = {name: np.array(values) for name, values in zip(TRACED, zip(*trace, strict=True), strict=True)}
    return found | {name: values[0].detach().numpy() for name, values in ends.items()}


def forms(q: Sequence[float] = (0.1, 0.5, 0.9)) -> Drawing:
    """Three forms of the matching loss over p, for fixed q; and where each ends if p and the expressions are both free.

    Args:
        q: targets inside 0 to 1, 1 to 5 of them.

    Raises:
        ValueError: no target, more than five, or one that is not inside 0 to 1.
    """
    q = [float(target) for target in q]
    if not 1 <= len(q) <= len(LOOKS) or not all(P[0] <= target <= P[-1] for target in q):
        raise ValueError(f"forms: 1 to {len(LOOKS)} targets q inside 0 to 1 ({P[0]:g} to {P[-1]:g}), got {q}")
    figure = new(13, 8)
    grid = figure.subplots(2, 3)
    losses = {form: [along(P, target, form) for target in q] for form in FORMS}
    for ax, form in zip(grid[0], FORMS, strict=True):
        _curves(ax, losses[form], q)
        ax.set(title=f"{form}, q fixed", xlabel="p", xlim=(-0.04, 1.04), ylim=(-0.15, 3.2))
    grid[0, 0].set_ylabel("loss of one unit")
    grid[0, 0].legend(title="target", loc="upper left", handlelength=3)
    ends = {form: descent(form) for form in FORMS}
    for ax, (name, label) in zip(grid[1], TRACED.items(), strict=True):
        for place, (form, trace) in enumerate(ends.items()):
            colour, style, marker = OF_FORM[form]
            look = {"color": colour, "ls": style, "marker": marker, "markevery": (15 * place, 60), "ms": 8, "lw": 2.4}
            ax.plot(np.maximum(trace[name], 1e-4), label=form, **look)
        ax.set(title="p and expressions both free", xlabel="updates", ylabel=label, ylim=(-0.04, 1.04))
        ax.grid(alpha=0.3)
    grid[1, 0].set(yscale="log", ylim=(6e-5, 40))
    grid[1, 1].legend(handlelength=3.5)
    lows = [-1.0 if (at := lowest(loss)) is None else at for own in losses.values() for loss in own]
    return Drawing(
        "coupling-forms",
        figure,
        {
            "targets": q,
            "minima": lows,
            "mean p": [ends[form]["mean p"][-1] for form in FORMS],
            "largest class": [ends[form]["largest class"][-1] for form in FORMS],
            "loss": [ends[form]["loss"][-1] for form in FORMS],
        },
        f"Top, a panel for each form of the matching loss ({', '.join(FORMS)}): the loss of one action unit over its "
        f"probability p, a line per target q ({', '.join(f'{target:g}' for target in q)}), the least value marked. "
        f"Below, over {STEPS} updates of the loss alone, with p and the expressions both free: the loss, the mean p, "
        "the largest expression probability, a line per form.",
        _ended(ends),
        trained={"mean p": 1e-3, "largest class": 1e-3, "loss": 1e-3},
    )


def _curves(ax: Axes, losses: Sequence[ndarray], q: Sequence[float]) -> None:
    for place, (loss, target, (colour, style, marker)) in enumerate(zip(losses, q, LOOKS, strict=False)):
        ax.plot(P, loss, color=colour, ls=style, lw=2.4)
        at, size = lowest(loss), 15 - 3 * place  # several minima may share a place
        look = {"color": colour, "mec": BLACK, "clip_on": False, "zorder": 3 + place}
        if at is not None:
            ax.plot([at], [loss.min()], marker, ms=size, **look)
        ax.plot([], [], marker, color=colour, ls=style, ms=9, mec=BLACK, lw=2.4, label=f"q = {target:g}")
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    ax.grid(alpha=0.3)


def _ended(ends: Mapping[str, Mapping[str, ndarray]]) -> str:
    names = relations("study").classes
    own, mended, apart = (ends[form] for form in FORMS)
    surest = int(np.argmax(mended["classes"]))
    return (
        f"Alone, the printed loss ends at {own['loss'][-1]:.2g} with every p at most {own['p'].max():.2g}, though q is "
        f"up to {own['q'].max():.2f}: nothing is matched. The mended one ends at {mended['loss'][-1]:.2g} with every p "
        f"at most {mended['p'].max():.2g}, too: p = q there, but every face is called {names[surest]} "
        f"(p = {mended['classes'][surest]:.2f}). The divergence stops where p = q, at any expressions (largest "
        f"{apart['classes'].max():.2f}, mean p {apart['p'].mean():.2f}): only labels can say which."
    )


# ------------------------------------------------------------------ soft labels


def active(units: Sequence[int], table: Relations) -> Tensor:
    """(1, M) labels of a face on which ``units`` are active and all others absent.

    Raises:
        ValueError: a unit that the table does not have.
    """
    names = [f"AU{unit}" for unit in units]
    if unknown := set(names) - set(table.attributes):
        raise ValueError(f"the table has no {', '.join(sorted(unknown))}")
    return torch.tensor([[int(name in names) for name in table.attributes]])


def softened(y: Tensor, table: Relations, temperatures: Sequence[float]) -> dict[str, ndarray]:
    """{rule: (K,) soft label} of one face (1, M), by Eqs. (4), (5) at every temperature and by Bayes' rule."""
    found = {f"T = {value:g}": coupling.soft_labels(indicators(y, table.weight), value) for value in temperatures}
    found[BAYES] = posterior(y, table.probability)
    return {name: own[0].double().numpy() for name, own in found.items()}


def soft_labels(temperatures: Sequence[float] = (1.0, 0.3, 0.1)) -> Drawing:
    """Soft labels of three faces by the study's table, at several temperatures and by Bayes' rule.

    Args:
        temperatures: of Eq. (5), 1 to 4 of them, each once; the print has 1.

    Raises:
        ValueError: no temperature, more than four, one twice, or one that is not above 0.
    """
    n = len(temperatures)
    if not 1 <= n < len(LOOKS) or len(set(temperatures)) < n or not all(0 < t < math.inf for t in temperatures):
        raise ValueError(f"soft_labels: 1 to {len(LOOKS) - 1} temperatures above 0, each once, got {temperatures}")
    table = relations("study")
    found = {face: softened(active(units, table), table, temperatures) for face, units in FACES.items()}
    figure = new(13, 6)
    panels = figure.subplots(1, len(FACES), sharey=True)
    k = len(table.classes)
    for ax, (face, own) in zip(panels, found.items(), strict=True):
        for place, (name, values) in enumerate(own.items()):
            colour, _, marker = LOOKS[place]
            at = np.arange(k) + 0.62 * (place / n - 0.5)
            ax.hlines(at, 0, values, color=colour, lw=2, alpha=0.6)
            ax.plot(values, at, marker, color=colour, ms=8, mec=BLACK, clip_on=False, zorder=3, label=name)
        ax.axvline(1 / k, color=GREY, ls="--", lw=2, label=f"uniform, 1/{k}")
        ax.set(xlim=(-0.04, 1.04), ylim=(k - 0.45, -0.55), xlabel="soft label", title=f"active: {face}")
        ax.hlines(np.arange(k - 1) + 0.5, 0, 1.04, color=GREY, lw=0.5, alpha=0.5)
        ax.tick_params(axis="y", length=0)
    panels[0].set_yticks(range(k), table.classes)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=n + 2)
    return Drawing(
        "coupling-soft-labels",
        figure,
        {face: np.stack(list(own.values())) for face, own in found.items()},
        f"Three panels, faces with {'; '.join(FACES)}: a dot per expression and rule, its soft label from 0 to 1, "
        f"for {', '.join(next(iter(found.values())))}. A dashed line is the uniform label.",
        _told(found, table.classes, temperatures),
    )


def _told(found: Mapping[str, Mapping[str, ndarray]], names: Sequence[str], temperatures: Sequence[float]) -> str:
    first, second, last = found.values()
    rules = ", ".join(f"T = {value:g}" for value in temperatures)
    k, sure, alone = (int(np.argmax(own[BAYES])) for own in (first, last, second))
    at = ", ".join(f"{first[f'T = {value:g}'][k]:.2f}" for value in temperatures)
    none = last[f"T = {temperatures[0]:g}"]
    flat = "uniform" if np.ptp(none) < 1e-6 else f"at most {none.max():.2f}"
    return (
        f"A face with {next(iter(found))} is {names[k]} {at} at {rules}, and {first[BAYES][k]:.2f} by Bayes' rule. "
        f"Without any active unit it is {flat} by Eq. (5), and {names[sure]} {last[BAYES][sure]:.2f} by Bayes' rule, "
        f"for which what is absent speaks, too: AU4 alone is {names[alone]} {second[BAYES][alone]:.2f} by it."
    )
