"""Is somebody watching? Bars and sliders are for the lab, tidy lines and still pictures for a log."""

import os
import sys

# What the interactive front ends set in a kernel's environment: JupyterLab and Notebook, VS Code, Colab.
INTERACTIVE = ("JPY_SESSION_NAME", "VSCODE_PID", "VSCODE_CWD", "COLAB_RELEASE_TAG")


def headless() -> bool:
    """True under papermill, nbval and in logs: no widgets, no moving bars, nothing that changes per run.

    ``MTLIB_HEADLESS=1`` or ``=0`` decides; without it, a known front end or a terminal means a person.
    """
    decided = os.environ.get("MTLIB_HEADLESS", "")
    if decided:
        return decided != "0"
    return not (any(name in os.environ for name in INTERACTIVE) or sys.stderr.isatty())
