"""Line-of-sight tools on plain NumPy arrays, for people who want nothing else.

They take the arrays, conventions and methods of :func:`watchline.viewshed`.
"""

from watchline.see import Intervisibility, intervisibility, viewshed
from watchline.tools.cumulative import CumulativeViewshed, cumulative_viewshed
from watchline.tools.horizon import Horizon, horizon, skyline
from watchline.tools.probability import visibility_probability
from watchline.tools.sight_error import SightError, sight_error

__all__ = [
    "CumulativeViewshed",
    "Horizon",
    "Intervisibility",
    "SightError",
    "cumulative_viewshed",
    "horizon",
    "intervisibility",
    "sight_error",
    "skyline",
    "viewshed",
    "visibility_probability",
]
