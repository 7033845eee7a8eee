"""mtlib: the library of a course on deep multi-task learning. Import its modules by name.

Nothing is imported here, so that ``import mtlib.sos`` needs torch alone.
"""
