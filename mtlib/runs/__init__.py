"""Headless runs: a notebook's parameters, its execution, the record it leaves, the report over many.

Nothing is imported here: a notebook takes ``parameters`` and ``record`` alone.
"""
