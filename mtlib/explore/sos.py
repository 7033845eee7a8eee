"""The explorers of notebook 01."""

from functools import cache

import torch

from mtlib import toy
from mtlib.experiments import sos_toy
from mtlib.explore import Explorer
from mtlib.figures import BLUE, GREEN, ORANGE, Drawing, new, square
from mtlib.figures.sos import draw_map, map_key, plane, truth_map
from mtlib.method import Method
from mtlib.recipe import Recipe
from mtlib.tasks import Dataset
from mtlib.training import accuracy


def _steps(low: float, high: float, by: float) -> tuple[float, ...]:
    return tuple(round(low + i * by, 6) for i in range(round((high - low) / by) + 1))


def templates() -> Explorer:
    """Slide one template over the other and watch the overlap and the majority rates."""
    return Explorer(
        "Slide task 2's template over task 1's. Where do the rings touch from outside, where from inside? How much "
        "do two thin templates overlap unless they coincide? What does always giving the commoner answer score?",
        {
            "template": ("ring", "band"),
            "shift": _steps(-0.75, 0.75, 0.125),
            "size": _steps(0.15, 0.65, 0.1),
            "width": (0.1, 0.2),
        },
        {"template": "ring", "shift": 0.25, "size": 0.25, "width": 0.1},
        slide,
        {"size": "size (radius, or half the amplitude)"},
    )


def slide(template: str, shift: float, size: float, width: float) -> Drawing:
    """Task 1 stays where set 9 has it (or a band of that size and shift), task 2 has these parameters."""
    if template == "ring":
        pair = (toy.Donut(0.25, -0.25, 0.1), toy.Donut(size, shift, width))
    else:  # cos(4 (x - shift)): a shift along the axis is a phase
        pair = (toy.Cos(4, 1.0, 0.5, 0.1), toy.Cos(4, -4 * shift, 2 * size, width))
    split = toy.make(pair, n_train=1500).train
    share, yes = toy.overlap(pair, 100_000), split.y["toy"].double().mean(0)
    majority = torch.maximum(yes, 1 - yes).tolist()
    answers = ["yes" if one > 0.5 else "no" for one in yes.tolist()]
    figure = new(7.5, 4.8)
    left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
    plane(square(left, "training points"), split.x, split.y["toy"])
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, markerscale=2.5)
    right.barh(range(3), [100 * share, *(100 * one for one in majority)], color=(ORANGE, GREEN, BLUE))
    right.set_yticks(range(3), ["overlap", "majority,\ntask 1", "majority,\ntask 2"])
    right.set(xlim=(0, 100), xlabel="per cent")
    right.invert_yaxis()
    return Drawing(
        "explore-templates",
        figure,
        {"overlap": [share], "majority": majority},
        f"Training points of two {template}s, the second at shift {shift}, size {size}, width {width}; beside them "
        "bars of the overlap and of each task's majority rate.",
        f"Overlap (intersection over union) {100 * share:.1f} %. Always answering '{answers[0]}' is right for "
        f"{100 * majority[0]:.0f} % of task 1, always '{answers[1]}' for {100 * majority[1]:.0f} % of task 2: an "
        "accuracy near that means nothing was learned.",
    )


LAMBDAS = (0.0, 0.01, 0.1, 1.0)


def training(steps: int = 600, rate: float = 0.01) -> Explorer:
    """Train any model on any set, live, and look at its decisions.

    Args:
        steps: updates of each training; 600 take about two seconds.  rate: learning rate.
    """

    def draw(number: int, model: str, soft: float, game: float) -> Drawing:
        return _trained_map(number, model, soft, game, steps, rate)

    return Explorer(
        "Train a network live. On which sets does sharing hurt? Raise the weights of SOS one kind at a time: which "
        "kind makes it fail, and from which value?",
        {"number": tuple(toy.SETS), "model": sos_toy.MODELS, "soft": LAMBDAS, "game": LAMBDAS},
        {"number": 3, "model": "SOS", "soft": 0.01, "game": 0.01},
        draw,
        {"number": "set", "soft": "λ of (4) and (5), SOS only", "game": "λ of (6) and (7), SOS only"},
    )


@cache
def _trained(number: int, model: str, soft: float, game: float, steps: int, rate: float) -> Method:
    weights = {"lambda_cs": soft, "lambda_ss": soft, "lambda_adv": game, "lambda_disc": game}
    settings = weights if model == "SOS" else {}
    return sos_toy.train(number, model, Recipe(steps=steps, rate=rate), seed=0, settings=settings)[0]


@cache
def _fresh(number: int) -> Dataset:
    # 5 000 fresh test points: a map is one network, but its accuracy need not be a guess.
    return toy.make(number, n_train=1, n_test=5000, seed=0)


def _trained_map(number: int, model: str, soft: float, game: float, steps: int, rate: float) -> Drawing:
    weights = (soft, game) if model == "SOS" else (0.0, 0.0)  # the controls have none: train them once
    method = _trained(number, model, *weights, steps, rate)
    scores = list(accuracy(method, _fresh(number).test).values())
    truth, found = truth_map(toy.templates(number)), sos_toy.decision_map(method)
    figure = new(8, 5.1)
    for task, ax in enumerate(figure.subplots(1, 2)):
        draw_map(ax, found[task], truth[task])
        ax.set_title(f"task {task + 1}: {100 * scores[task]:.1f} % right")
    figure.legend(*map_key(), loc="outside lower center", ncols=3)
    told = f" with λ {soft:g} for (4), (5) and {game:g} for (6), (7)" if model == "SOS" else ""
    return Drawing(
        "explore-training",
        figure,
        {"accuracy": scores},
        f"Where {model} on set {number} answers yes (dark), one panel per task, the true outline drawn over it.",
        f"{model} on set {number}{told}, {steps} updates at rate {rate:g}, seed 0: {100 * sum(scores) / 2:.1f} % right "
        "on average. One run.",
        trained={"accuracy": 0.1},
    )
