"""How fast are faces drawn, and how fast does the usual loader read them from JPEG files?

    python benchmarks/faces.py [--sizes 64 128 --files 1024 --batch 256 --repeats 5 --workers 2]

`draw` is mtlib.faces.draw, another batch of faces every time, as floats of 0 to 1: on the CPU, and on a GPU if there is
one, in batches of 4096 there. `jpeg` is what is usual for CelebA: files of 178 x 218 (drawn faces, as large as CelebA's
on disk), opened, resized to the shorter side, cropped to a square and made a tensor by torchvision's transforms in the
workers of a torch DataLoader; without torchvision, by the same Pillow calls that these make. The files lie in the page
cache, and the workers stay alive: what is timed is decoding. All ways run in turn in one process, per repeat as many
faces as there are files. Rates and ratios are medians, ratios of neighbouring repeats. Targets: 1 500 faces per second
at 64 pixels on two cores, 50 000 at 128 pixels on an H100.
"""

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from common import HEIGHT, WIDTH, draw_files
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mtlib.faces.draw import draw

WARM = 2  # rounds that are not counted
ON_GPU = 4096  # faces per batch there


def by_torchvision(size: int) -> Callable[[Image.Image], Tensor]:
    from torchvision import transforms

    return transforms.Compose([transforms.Resize(size), transforms.CenterCrop(size), transforms.ToTensor()])


class ByPillow:
    """What torchvision's Resize, CenterCrop and ToTensor do to a Pillow image."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self, image: Image.Image) -> Tensor:
        size, (width, height) = self.size, image.size
        short = min(width, height)
        image = image.resize((width * size // short, height * size // short), Image.Resampling.BILINEAR)
        left, top = (image.width - size) // 2, (image.height - size) // 2
        image = image.crop((left, top, left + size, top + size))
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div(255)


class Files(Dataset):
    """JPEG files with forty labels each, as torchvision's CelebA."""

    def __init__(self, files: list[Path], transform: Callable[[Image.Image], Tensor]) -> None:
        self.files, self.transform = files, transform
        self.labels = torch.zeros(len(files), 40, dtype=torch.long)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        return self.transform(Image.open(self.files[place]).convert("RGB")), self.labels[place]


def written(folder: Path, count: int) -> list[Path]:
    """So many drawn faces as JPEG files of CelebA's size."""
    files = [folder / f"{number:06d}.jpg" for number in range(count)]
    draw_files(files)
    return files


def drawing(size: int, count: int, batch: int, device: str) -> Callable[[], None]:
    starts = itertools.count(0, count)  # other faces in every round

    def run() -> None:
        start = next(starts)
        for part in torch.arange(start, start + count, device=device).split(batch):
            draw(part, size=size).images.float().div_(255)
        if device == "cuda":
            torch.cuda.synchronize()

    return run


def reading(loader: DataLoader) -> Callable[[], None]:
    def run() -> None:
        for _ in loader:
            pass

    return run


def timed(ways: dict[str, Callable[[], None]], repeats: int) -> dict[str, list[float]]:
    """Seconds of every way in every round that counts."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(repeats + WARM):
        for name, run in ways.items():
            begun = time.perf_counter()
            run()
            if repeat >= WARM:
                times[name].append(time.perf_counter() - begun)
    return times


def report(size: int, times: dict[str, list[float]], counts: dict[str, int]) -> Iterator[str]:
    rates = {name: [counts[name] / spent for spent in spans] for name, spans in times.items()}
    for name, each in rates.items():
        low, high = statistics.quantiles(each, n=4)[::2]
        yield f"{size} px, {name}: {statistics.median(each):,.0f} faces/s  (quartiles {low:,.0f} to {high:,.0f})"
    for name in rates:
        if name != "jpeg":
            ratio = statistics.median(a / b for a, b in zip(rates[name], rates["jpeg"], strict=True))
            yield f"{size} px, {name} / jpeg: {ratio:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[64, 128])
    for name, default in (("files", 1024), ("batch", 256), ("repeats", 5), ("workers", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    a = parser.parse_args()
    if a.repeats < 2:
        parser.error("needs 2 or more repeats")
    torch.set_num_threads(a.threads)
    try:
        by_torchvision(64)
        transform, how = by_torchvision, "torchvision"
    except (ImportError, RuntimeError):  # missing, or built for another torch
        transform, how = ByPillow, "Pillow, as torchvision calls it"
    with tempfile.TemporaryDirectory() as folder:
        files = written(Path(folder), a.files)
        mean = statistics.mean(file.stat().st_size for file in files)
        print(
            f"{a.files} files of {WIDTH} x {HEIGHT}, {mean / 1000:.1f} kB each; jpeg by {how}, {a.workers} workers; "
            f"batch {a.batch}, {a.threads} threads, {a.repeats} repeats"
        )
        for size in a.sizes:
            loader = DataLoader(
                Files(files, transform(size)), a.batch, num_workers=a.workers, persistent_workers=a.workers > 0
            )
            ways = {"draw on the CPU": drawing(size, a.files, a.batch, "cpu"), "jpeg": reading(loader)}
            counts = dict.fromkeys(ways, a.files)
            if torch.cuda.is_available():
                name = f"draw on {torch.cuda.get_device_name()}"
                counts[name] = max(a.files, 8 * ON_GPU)
                ways[name] = drawing(size, counts[name], ON_GPU, "cuda")
            print(*report(size, timed(ways, a.repeats), counts), sep="\n", flush=True)


if __name__ == "__main__":
    main()
