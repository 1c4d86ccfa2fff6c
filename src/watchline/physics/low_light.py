"""Cameras by night: light on the sensor, electrons in a pixel, signal to noise, IR illuminators.

Visible light is counted in lux, infrared in watts: a lux is weighted by the eye, which sees no
infrared, so that an IR illuminator has no lux at all.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Numbers = float | FloatArray

PLANCK_J_S = 6.626_070_15e-34
LIGHT_SPEED_M_S = 299_792_458.0
WHITE_LED_PHOTONS = 9.5e15
"""Photons a second, m² and lux of a white LED over 380–780 nm; 0.9–1.0e16 by its colour."""
GREEN_PHOTONS = 4.1e15
"""The same for light of 555 nm alone: a common slip when used for white light."""


def sensor_illuminance_lx(
    scene_lx: Numbers, reflectance: Numbers, f_number: Numbers, transmittance: float = 0.8
) -> FloatArray:
    """Illuminance on the sensor, ``E · ρ · T / (4 F²)`` [lx].

    Of a matt scene in the middle of the picture, focused far away; to the edges it falls with
    cos⁴ of the field angle.

    Parameters
    ----------
    scene_lx : float or float64 array
        Illuminance on the target, on the side that the camera sees [lx].
    reflectance : float or float64 array
        Diffuse reflectance ρ of the target, 0–1.
    f_number : float or float64 array
        F-number of the lens.
    transmittance : float
        Transmittance T of the lens and its window.
    """
    light = np.asarray(scene_lx, dtype=np.float64) * np.asarray(reflectance) * transmittance
    return np.asarray(light / (4.0 * np.asarray(f_number, dtype=np.float64) ** 2))


def focal_plane_exposure_lx_s(
    luminance_cd_m2: float,
    f_number: float,
    exposure_s: float,
    *,
    transmittance: float = 0.9,
    vignetting: float = 0.98,
    field_angle_deg: float = 10.0,
    flare_lx_s: float = 0.0,
) -> float:
    """Exposure of the focal plane, ``π/4 · T · v · cos⁴θ · L · t / N² + flare`` [lx s].

    ISO 12232 (from memory), with its customary T = 0.9, v = 0.98 and θ = 10°, which together give
    the factor 0.65.

    Parameters
    ----------
    luminance_cd_m2 : float
        Luminance L of the scene.
    f_number, exposure_s : float
        F-number N and exposure time t.
    transmittance, vignetting, field_angle_deg : float
        T, v and θ.
    flare_lx_s : float
        Exposure by stray light.
    """
    cosine = math.cos(math.radians(field_angle_deg))
    factor = math.pi / 4.0 * transmittance * vignetting * cosine**4
    return factor * luminance_cd_m2 * exposure_s / f_number**2 + flare_lx_s


def photoelectrons(
    sensor_lx: Numbers,
    pixel_m: float,
    exposure_s: float,
    quantum_efficiency: float,
    photons_per_lx: float = WHITE_LED_PHOTONS,
) -> FloatArray:
    """Electrons that light frees in a pixel during an exposure.

    Parameters
    ----------
    sensor_lx : float or float64 array
        Illuminance on the sensor [lx].
    pixel_m : float
        Side of a pixel [m], its whole area counted.
    exposure_s : float
        Exposure time [s].
    quantum_efficiency : float
        Electrons a photon, averaged over the light's spectrum, colour filters included.
    photons_per_lx : float
        Photons a second, m² and lux of that light.
    """
    per_lx = pixel_m**2 * exposure_s * quantum_efficiency * photons_per_lx
    return np.asarray(np.asarray(sensor_lx, dtype=np.float64) * per_lx)


def signal_to_noise(
    signal_e: Numbers, dark_e: Numbers = 0.0, read_noise_e: Numbers = 0.0
) -> FloatArray:
    """Signal to noise of one pixel, ``S / √(S + D + r²)``.

    Shot noise of signal and dark current, and read noise; no fixed pattern and no noise reduction,
    which cameras trade for blur of what moves.

    Parameters
    ----------
    signal_e, dark_e : float or float64 array
        Electrons by light and by dark current in one exposure.
    read_noise_e : float or float64 array
        Read noise r [electrons, standard deviation].
    """
    signal = np.asarray(signal_e, dtype=np.float64)
    noise = np.sqrt(signal + np.asarray(dark_e) + np.asarray(read_noise_e) ** 2)
    return np.asarray(np.where(noise > 0, signal / np.where(noise > 0, noise, 1.0), 0.0))


def infrared_sensor_irradiance_w_m2(
    radiant_intensity_w_sr: Numbers,
    distance_m: Numbers,
    reflectance: float,
    f_number: float,
    transmittance: float = 0.8,
    extinction_per_m: float = 0.0,
) -> FloatArray:
    """Irradiance on the sensor by an IR illuminator at the camera [W/m²].

    ``I_e · e^(−2σd) / d² · ρ · T / (4 F²)``: there and back through the air. The target is matt and
    faces the camera. The light that fog scatters straight back is not in it: in fog it veils the
    picture before the target is too dark.

    Parameters
    ----------
    radiant_intensity_w_sr : float or float64 array
        Radiant intensity of the illuminator toward the target [W/sr].
    distance_m : float or float64 array
        Distance of the target [m].
    reflectance : float
        Of the target at that wavelength (foliage is bright, about 0.5 at 850 nm).
    f_number, transmittance : float
        Of the lens at that wavelength.
    extinction_per_m : float
        Extinction of the air at that wavelength, from
        :func:`watchline.physics.weather.infrared_extinction_per_m`.
    """
    distance = np.asarray(distance_m, dtype=np.float64)
    target = np.asarray(radiant_intensity_w_sr) * np.exp(-2.0 * extinction_per_m * distance)
    return np.asarray(target / distance**2 * reflectance * transmittance / (4.0 * f_number**2))


def infrared_photoelectrons(
    irradiance_w_m2: Numbers,
    wavelength_nm: float,
    pixel_m: float,
    exposure_s: float,
    quantum_efficiency: float,
) -> FloatArray:
    """Electrons in a pixel by light of one wavelength, ``E · A · t · QE · λ / (h c)``.

    Parameters
    ----------
    irradiance_w_m2 : float or float64 array
        Irradiance of the sensor [W/m²].
    wavelength_nm : float
        Wavelength [nm].
    pixel_m, exposure_s, quantum_efficiency : float
        Side of a pixel [m], exposure time [s], electrons a photon at that wavelength.
    """
    photon_j = PLANCK_J_S * LIGHT_SPEED_M_S / (wavelength_nm * 1e-9)
    per_watt = pixel_m**2 * exposure_s * quantum_efficiency / photon_j
    return np.asarray(np.asarray(irradiance_w_m2, dtype=np.float64) * per_watt)
