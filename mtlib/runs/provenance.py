"""What a result was made with: commit, versions, hardware. No host or user names."""

import os
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from mtlib import paths

PACKAGES = (
    *("mtlib", "torch", "torchvision", "torchjd", "cvxpy", "numpy", "scipy", "pandas", "matplotlib"),
    *("ipykernel", "nbclient", "papermill"),
)


def made_with() -> dict[str, Any]:
    """The record's keys ``commit``, ``versions`` and ``hardware``."""
    return {"commit": commit(), "versions": versions(), "hardware": hardware()}


def commit(folder: Path | None = None) -> str | None:
    """The commit checked out, with ``+changes`` where the tree differs from it; None without git."""
    folder = folder or paths.ROOT
    found = _output("git", "-C", str(folder), "rev-parse", "--show-toplevel", "HEAD")
    top, _, head = (found or "").partition("\n")
    # A course unpacked inside somebody's other repository has no commit of its own.
    if not head or not os.path.samefile(top, folder):
        return None
    changes = _output("git", "-C", str(folder), "status", "--porcelain")
    return head if changes == "" else f"{head}+changes"


def versions() -> dict[str, str]:
    """Python and those of the packages that matter which are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> dict[str, Any]:
    """Machine type, processor, cores usable here and GPU. How many threads it used is the notebook's to say."""
    import torch

    return {
        "machine": platform.machine(),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def _cpu() -> str | None:
    if sys.platform == "darwin":
        return _output("sysctl", "-n", "machdep.cpu.brand_string") or None
    information = Path("/proc/cpuinfo")
    if information.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", information.read_text(), re.MULTILINE)
        return found[1] if found else None
    return platform.processor() or None


def _output(*command: str) -> str | None:
    """What a command prints, None where it is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
