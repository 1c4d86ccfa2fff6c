"""Puts the folder of the tests on the path, so that they share their samples."""
