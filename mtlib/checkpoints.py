"""Checkpoints: whole or absent, safe to load, and never taken for those of another run."""

import io
from pathlib import Path

import torch

from mtlib.paths import write_atomic

FORMAT = 1  # raised when what a checkpoint holds changes


def save(path: Path, run: dict, state: dict) -> None:
    """Write a checkpoint in one piece: a run killed at any moment leaves the last one or this one.

    Args:
        run: what the run is (recipe, data, seed ...): plain values; a run of another kind cannot resume from it.
        state: plain values and tensors; all that ``torch.load(weights_only=True)`` accepts.
    """
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, "run": run, "state": state}, buffer)
    write_atomic(Path(path), buffer.getvalue())


def load(path: Path, run: dict, device: torch.device | str = "cpu") -> dict | None:
    """The state saved at ``path`` by the same run, or None where nothing was saved yet.

    Raises:
        ValueError: the file is no checkpoint, or one of another run; what differs is named.
    """
    path = Path(path)
    if not path.exists():
        return None
    try:
        found = torch.load(path, weights_only=True, map_location=device)
        form, other, state = found["format"], found["run"], found["state"]
    except Exception as error:  # torch raises half a dozen kinds for what is not its own
        raise ValueError(
            f"{path.name} is not a checkpoint of this course ({type(error).__name__}); remove it"
        ) from error
    if form != FORMAT:
        raise ValueError(f"{path.name} was written in format {form}, this is format {FORMAT}; remove it to start anew")
    differing = [key for key in sorted({*run, *other}) if run.get(key) != other.get(key)]
    if differing:
        key = differing[0]
        raise ValueError(
            f"{path.name} belongs to another run: {', '.join(differing)} differ "
            f"({key} is {other.get(key)!r} there, {run.get(key)!r} here); remove it or choose another file"
        )
    return state
