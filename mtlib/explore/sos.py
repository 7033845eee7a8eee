"""The explorers of notebook 01."""

from functools import cache

import torch

from mtlib import toy
from mtlib.experiments import sos_toy
from mtlib.explore import Explorer
from mtlib.figures import Drawing, new, square
from mtlib.figures.sos import draw_map, plane, truth_map
from mtlib.method import Method
from mtlib.training import Recipe, accuracy


def _steps(low: float, high: float, by: float) -> tuple[float, ...]:
    return tuple(round(low + i * by, 6) for i in range(round((high - low) / by) + 1))


def templates() -> Explorer:
    """Slide one template over the other and watch the overlap and the majority rates."""
    return Explorer(
        "Slide the second ring over the first (radius 0.25, centre −0.25). Where does it touch from outside, where "
        "from inside, and how much can two thin rings overlap at all?",
        {"offset": _steps(-0.75, 0.75, 0.125), "radius": _steps(0.15, 0.65, 0.1), "width": (0.1, 0.2)},
        {"offset": 0.25, "radius": 0.25, "width": 0.1},
        slide,
    )


def slide(offset: float, radius: float, width: float) -> Drawing:
    """Ring 1 as in set 9, ring 2 with these parameters."""
    pair = (toy.Donut(0.25, -0.25, 0.1), toy.Donut(radius, offset, width))
    split = toy.make(pair, n_train=1500).train
    share, y = toy.overlap(pair, 100_000), split.y["toy"].double()
    majority = torch.maximum(y.mean(0), 1 - y.mean(0)).tolist()
    figure = new(7, 4)
    left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
    plane(square(left, "training points"), split.x, split.y["toy"])
    names = ["overlap", "majority\ntask 1", "majority\ntask 2"]
    right.barh(range(3), [100 * share, *(100 * m for m in majority)], color=("#E69F00", "#009E73", "#0072B2"))
    right.set_yticks(range(3), names)
    right.set(xlim=(0, 100), xlabel="per cent")
    right.invert_yaxis()
    finding = (
        f"Overlap {100 * share:.1f} % (intersection over union). Always answering 'no' scores "
        f"{100 * majority[0]:.0f} % and {100 * majority[1]:.0f} %: an accuracy of 70 % may mean nothing was learned."
    )
    return Drawing(
        "explore-templates",
        figure,
        {"overlap": [share], "majority": majority},
        f"Two rings, the second at {offset} with radius {radius} and width {width}; bars of the overlap and majority.",
        finding,
    )


LAMBDAS = (0.0, 0.01, 0.05, 0.2, 1.0)


def training(steps: int = 600, rate: float = 0.01) -> Explorer:
    """Train any model on any set, live, and look at its decisions.

    Args:
        steps: updates of each training; 600 take about two seconds.  rate: learning rate.
    """

    def draw(number: int, model: str, strength: float) -> Drawing:
        return _trained_map(number, model, strength, steps, rate)

    return Explorer(
        "Train a network live. On which sets does sharing hurt? Raise all four weights λ of SOS together: when do its "
        "spaces stop predicting?",
        {"number": tuple(toy.SETS), "model": sos_toy.MODELS, "strength": LAMBDAS},
        {"number": 3, "model": "SOS", "strength": 0.01},
        draw,
    )


@cache
def _trained(number: int, model: str, strength: float, steps: int, rate: float) -> Method:
    weights = dict.fromkeys(("lambda_cs", "lambda_ss", "lambda_adv", "lambda_disc"), strength)
    settings = weights if model == "SOS" else {}
    return sos_toy.train(number, model, Recipe(steps=steps, rate=rate), seed=0, settings=settings)[0]


def _trained_map(number: int, model: str, strength: float, steps: int, rate: float) -> Drawing:
    method = _trained(number, model, strength if model == "SOS" else 0.0, steps, rate)
    # 5 000 fresh test points: a map is one network, but its accuracy need not be a guess.
    scores = list(accuracy(method, toy.make(number, n_train=1, n_test=5000, seed=0).test).values())
    truth, found = truth_map(toy.templates(number)), sos_toy.decision_map(method)
    figure = new(8, 4)
    for task, ax in enumerate(figure.subplots(1, 2)):
        draw_map(ax, found[task], truth[task])
        ax.set_title(f"task {task + 1}: {100 * scores[task]:.1f} % right")
    weights = f" with all λ = {strength:g}" if model == "SOS" else " (λ concerns SOS only)"
    return Drawing(
        "explore-training",
        figure,
        {"accuracy": scores},
        f"Where {model} on set {number} answers yes (dark), one panel per task, the true outline in red.",
        f"{model} on set {number}{weights}, {steps} updates at rate {rate:g}, seed 0: "
        f"{100 * sum(scores) / 2:.1f} % right on average. One run.",
        trained={"accuracy": 0.1},
    )
