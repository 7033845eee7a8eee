"""The explorer of drawn faces: switch attributes on one face and watch its pixels and its labels."""

import torch

from mtlib.explore import SWITCH, Explorer
from mtlib.faces.draw import draw
from mtlib.faces.names import ACTION_UNITS, ATTRIBUTES, COLUMN, EXPRESSIONS
from mtlib.figures import Drawing, new
from mtlib.figures.faces import picture

COLOURS = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")  # exclude each other


def switches(person: int = 3000, size: int = 160) -> Explorer:
    """A switch per attribute, the expression, and which face they act on.

    Args:
        person: number of the first face that the slider offers.  size: pixels.
    """
    faces = tuple(person + 100 * k for k in range(20))  # twenty people

    def show(face: int, expression: str, **on: bool) -> Drawing:
        return _beside(face, expression, [name for name in ATTRIBUTES if on[name]], size)

    return Explorer(
        "Switch attributes: each becomes the opposite of what is drawn. Which switches change what you did "
        "not expect, and which change nothing that you can see?",
        {"face": faces, "expression": ("its own", *EXPRESSIONS)} | dict.fromkeys(ATTRIBUTES, SWITCH),
        {"face": faces[0], "expression": "its own"} | dict.fromkeys(ATTRIBUTES, False),
        show,
        {name: name.replace("_", " ") for name in ATTRIBUTES},
    )


def _beside(face: int, expression: str, toggled: list[str], size: int) -> Drawing:
    """The face as it came, and with the toggled attributes the other way round."""
    index = torch.tensor([face])
    came = draw(index, size=size)
    do: dict[str, int | str] = {} if expression == "its own" else {"expression": expression}
    # What is drawn is turned round, and the label with it: a noisy label may differ from what is drawn.
    do |= {name: int(came.margin[0, COLUMN[name]] <= 0) for name in toggled}
    ignored = [name for name in COLOURS if do.get(name) == 1][1:]
    for name in ignored:
        del do[name]  # one colour at a time
    now = draw(index, size=size, do=do)
    changed = (now.images != came.images).any(1).float().mean().item()
    figure = new(8, 4.3)
    for ax, drawn, title in zip(figure.subplots(1, 2), (came, now), ("as it came", "as switched"), strict=True):
        picture(ax, drawn.images[0]).set_title(title, loc="center")
    flips = [
        f"{name.replace('_', ' ')} {'on' if after else 'off'}"
        for name, before, after in zip(ATTRIBUTES, came.attributes[0], now.attributes[0], strict=True)
        if before != after
    ]
    units = [f"AU{unit}" for unit, on in zip(ACTION_UNITS, now.action_units[0], strict=True) if on]
    return Drawing(
        "explore-faces",
        figure,
        {"changed share of the pixels": [changed], "labels": now.attributes},
        f"Drawn face {face} twice: as it came, and on the right with {', '.join(toggled) or 'nothing'} switched.",
        f"{100 * changed:.1f} % of the pixels differ; labels changed: {', '.join(flips) or 'none'}; "
        f"{EXPRESSIONS[int(now.expression)]}, {' '.join(units) or 'no action unit'}"
        f"{'; one colour at a time, left out: ' + ', '.join(ignored) if ignored else ''}.",
        photo=True,
    )
