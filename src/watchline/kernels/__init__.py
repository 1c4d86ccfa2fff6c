"""Numba kernels on plain SI arrays: line of sight, horizons. No input or output, no objects."""

from watchline.kernels.bits import count_bits, pack_bits, unpack_bits, word_count
from watchline.kernels.circle import circle_flags
from watchline.kernels.curvature import (
    EARTH_RADIUS_M,
    REFRACTION_COEFFICIENT,
    curvature_drop_m,
    fold_curvature,
)
from watchline.kernels.device import choose_device, gpu_fault, gpu_name, sight_on
from watchline.kernels.fan import fan_bits
from watchline.kernels.grid import Grid, Points, bilinear_heights_m, make_grid, make_points
from watchline.kernels.ray import TOUCH_M
from watchline.kernels.sight import least_mount_heights_m, sight_bits
from watchline.kernels.sight_error import ErrorRate, SightError, measure_sight_error
from watchline.kernels.sight_line import SightLine, explain_sight

__all__ = [
    "EARTH_RADIUS_M",
    "REFRACTION_COEFFICIENT",
    "TOUCH_M",
    "ErrorRate",
    "Grid",
    "Points",
    "SightError",
    "SightLine",
    "bilinear_heights_m",
    "choose_device",
    "circle_flags",
    "count_bits",
    "curvature_drop_m",
    "explain_sight",
    "fan_bits",
    "fold_curvature",
    "gpu_fault",
    "gpu_name",
    "least_mount_heights_m",
    "make_grid",
    "make_points",
    "measure_sight_error",
    "pack_bits",
    "sight_bits",
    "sight_on",
    "unpack_bits",
    "word_count",
]
