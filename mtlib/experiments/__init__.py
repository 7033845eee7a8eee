"""The experiments that the papers print, ready to run: one module per experiment."""
