"""Long work shows where it is: a moving bar for a person, tidy lines that never change for a log."""

from types import TracebackType

from mtlib.headless import headless

LONG = 100_000  # steps from which a log gets a line every tenth; shorter work gets one line at its end


class Progress:
    """``with Progress(total, "training") as bar: bar.advance()``.

    Headless it prints lines that begin with ``· `` to standard output: no times, no rates, so that two runs of
    the same notebook print the same; the runner shows them as they come.

    Args:
        total: steps in all.  label: what is being done, as the line at the end says it.
    """

    def __init__(self, total: int, label: str) -> None:
        self.total, self.label, self.done = total, label, 0
        self.bar = None
        if not headless():
            from tqdm.auto import tqdm  # only a person needs it

            self.bar = tqdm(total=total, desc=label)

    def __enter__(self) -> "Progress":
        return self

    def advance(self, steps: int = 1) -> None:
        """Say that ``steps`` more are done."""
        before, self.done = self.done, self.done + steps
        if self.bar is not None:
            self.bar.update(steps)
        elif self.total >= LONG and self.done < self.total and before * 10 // self.total < self.done * 10 // self.total:
            print(f"· {self.label}: {self.done * 10 // self.total * 10} %", flush=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.close()
        elif kind is None:
            stopped = f"stopped after {self.done} of {self.total}"  # by an interrupt, which ends a run in good order
            print(f"· {self.label}: {'done' if self.done >= self.total else stopped}", flush=True)
