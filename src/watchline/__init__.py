"""watchline: design, prove and report the guard system of a long thin place."""

__version__ = "0.1.0"
