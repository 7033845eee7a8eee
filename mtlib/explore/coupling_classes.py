"""The explorer of notebook 04b: whom do the attributes of a face speak for, among people?"""

import numpy as np

from mtlib.experiments import class_soft
from mtlib.explore import Explorer
from mtlib.figures import BLACK, GREY, RED, SKY, Drawing, new

PEOPLE = 16
FACES = 8  # test faces to choose from
TEMPERATURES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
SMOOTHINGS = (0.0, 0.5, 1.0, 3.0, 10.0)
KINDS = {"Eqs. (4), (5)": "indicators", "Bayes' rule": "Bayes"}


def soft_label(seed: int = 0) -> Explorer:
    """Temperature and smoothing -> the soft label of a face among sixteen drawn people."""
    people = class_soft.people(PEOPLE, seed)
    places = np.linspace(0, len(people.test_who) - 1, FACES).astype(int)
    tables = {smoothing: people.relations(smoothing) for smoothing in SMOOTHINGS}

    def draw(face: int, labels: str, temperature: float, smoothing: float) -> Drawing:
        at = int(places[face - 1])
        y = people.test_y[at : at + 1]
        q = class_soft.soft(y, tables[smoothing], KINDS[labels], temperature)
        return _drawn(q[0].numpy(), int(people.test_who[at]), labels, temperature, float(class_soft.effective(q)[0]))

    return Explorer(
        "At which temperature does a face's soft label single somebody out, and is it the right person? Does smoothing "
        "the counts change whom it names? What does Bayes' rule do with the same table?",
        {
            "face": tuple(range(1, FACES + 1)),
            "labels": tuple(KINDS),
            "temperature": TEMPERATURES,
            "smoothing": SMOOTHINGS,
        },
        {"face": 1, "labels": "Eqs. (4), (5)", "temperature": 1.0, "smoothing": 1.0},
        draw,
        {"labels": "labels by", "smoothing": "smoothing s"},
    )


def _drawn(q: np.ndarray, own: int, labels: str, temperature: float, effective: float) -> Drawing:
    figure = new(11, 4)
    ax = figure.subplots()
    colours = [RED if k == own else SKY for k in range(len(q))]
    ax.bar(range(len(q)), q, color=colours, edgecolor=BLACK, hatch=["//" if k == own else "" for k in range(len(q))])
    ax.axhline(1 / len(q), color=GREY, ls=":", lw=1.5)
    ax.set(xlabel="person", ylabel="soft probability", ylim=(0, max(0.15, 1.15 * q.max())))
    ax.set_xticks(range(len(q)), [str(k + 1) for k in range(len(q))])
    ax.set_title("the person on the face is hatched; the dotted line is uniform")
    rank = int((q > q[own]).sum()) + 1
    by = labels if labels == "Bayes' rule" else f"{labels}, temperature {temperature:g}"
    return Drawing(
        "explore-soft-label",
        figure,
        {"soft label": q, "rank": [rank]},
        f"Bars of one face's soft label over {len(q)} people, the right person's hatched, a dotted line at uniform.",
        f"{by}: the right person has {q[own]:.3f}, rank {rank} of {len(q)}; the label is as unsure as a choice among "
        f"{effective:.1f} people.",
    )
