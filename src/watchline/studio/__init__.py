"""The studio's server: a project's plan on a map, edited and judged at once.

The page in a browser talks to the routes under ``/api``; :mod:`watchline.studio.app` puts them
together. Nothing is computed here that the rest of the package does not compute: the numbers are
those of :mod:`watchline.prove`.
"""
