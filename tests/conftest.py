"""Settings of all tests.

A run of the tests depends on the code alone: Hypothesis draws the same examples each time. New ones
are sought with ``pytest --hypothesis-profile=searching``; what that finds becomes an ``@example``.
"""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("searching", derandomize=False, print_blob=True)
settings.load_profile("repeatable")
