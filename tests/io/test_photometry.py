"""The photometric reader: closed forms, eulumdat-py, Radiance, and broken files."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import radiance_oracle as radiance
from photometry_cases import REAL, SYNTHETIC, formula_cd, tabulated, unit
from watchline.errors import PhotometryError
from watchline.io.photometry import parse_photometry, read_photometry
from watchline.physics.luminaires import Luminaire, aimed_intensity_cd
from watchline.physics.photometry import flux_lm, intensity_cd

NAMES = {path.name: path for path in (*SYNTHETIC, *REAL)}


def test_all_34_synthetic_files_are_here():
    assert len(SYNTHETIC) == 34


@pytest.mark.parametrize("path", SYNTHETIC, ids=lambda path: path.name)
def test_tabulated_intensities_are_those_of_the_formula(path):
    photometry = read_photometry(path)
    direction = tabulated(path.stem, path)
    want = formula_cd(path.stem, direction)
    got = intensity_cd(photometry, direction)
    assert np.abs(got - want).max() <= 1e-4 * want.max()


@pytest.mark.parametrize("path", SYNTHETIC, ids=lambda path: path.name)
def test_no_light_outside_the_measured_angles(path):
    photometry = read_photometry(path)
    rng = np.random.default_rng(1)
    direction = rng.normal(size=(2000, 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    got = intensity_cd(photometry, direction)
    name = path.stem
    _, y, z = direction.T
    outside = {
        "C_down_only": z > 1e-6,
        "C_up_only": z < -1e-6,
        "B_narrow": np.abs(np.degrees(np.arcsin(y))) > 50.01,
        "A_full": z > 1e-6,
        "B_full": z > 1e-6,
        "B_half": z > 1e-6,
    }.get(name, np.zeros(2000, dtype=bool))
    assert not got[outside].any()
    if name != "B_narrow":
        assert (got[~outside] > 0).all()
        # Angles up to 15° apart: interpolation is close to the formula.
        if not any("apart" in warning for warning in photometry.warnings):
            want = formula_cd(name, direction)
            assert np.abs(got - want)[~outside].max() < 0.08 * want.max()


def test_wide_planes_and_partial_circles_are_warned_of():
    assert any("40° apart" in w for w in read_photometry(NAMES["C_half_nonuni.ies"]).warnings)
    assert read_photometry(NAMES["C_full_no360.ies"]).closed
    assert not read_photometry(NAMES["C_full_no360.ies"]).warnings
    part = NAMES["C_full_no360.ies"].read_bytes().replace(b"315 330 345", b"315 330 331")
    assert any("no light elsewhere" in w for w in parse_photometry(part, "a.ies").warnings)


def test_factors_of_the_edition_and_lamps():
    """The ballast-lamp factor multiplies up to 1995 only; EULUMDAT's flux is the whole set's."""
    text = NAMES["C_blpf0p9_1995.ies"].read_text()
    old = parse_photometry(text.encode(), "a.ies")
    new = parse_photometry(text.replace("LM-63-1995", "LM-63-2002").encode(), "a.ies")
    assert np.allclose(old.intensity_cd, 0.9 * new.intensity_cd)
    assert old.format == "LM-63-1995"
    assert read_photometry(NAMES["C_1986_nohdr.ies"]).format == "LM-63-1986"
    assert read_photometry(NAMES["C_2019.ies"]).format == "LM-63-2019"
    three = read_photometry(NAMES["L0_nl3.ldt"])
    assert three.lamp_flux_lm == 5000
    assert read_photometry(NAMES["L0_2sets.ldt"]).lamp_flux_lm == 10_000
    assert np.isnan(read_photometry(NAMES["L0_abs.ldt"]).lamp_flux_lm)


def test_tilt_factors_are_read_and_applied():
    text = NAMES["C_tilt_include.ies"].read_text().replace("\n1 1 1\n", "\n1 0.9 0.5\n", 1)
    photometry = parse_photometry(text.encode(), "a.ies")
    down = np.array([0.0, 0.0, -1.0])
    level = Luminaire(photometry, 0, 0, 10, tilt_deg=90)
    half = Luminaire(photometry, 0, 0, 10, tilt_deg=22.5)
    own = float(intensity_cd(photometry, down))
    assert float(aimed_intensity_cd(level, down)) == pytest.approx(own)
    axis = np.array([0.0, np.cos(np.radians(22.5)), -np.sin(np.radians(22.5))])
    assert float(aimed_intensity_cd(half, axis)) == pytest.approx(0.7 * own)


def test_feet_become_metres():
    text = NAMES["C_full_360.ies"].read_text().replace("37 25 1 2 0.4 0.3", "37 25 1 1 0.4 0.3")
    assert parse_photometry(text.encode(), "a.ies").size_m[0] == pytest.approx(0.3 * 0.3048)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_real_files_agree_with_eulumdat_py_and_radiance(path, tmp_path):
    """eulumdat-py reads the file, Radiance interpolates it: neither shares a line with ours."""
    pyldt = pytest.importorskip("pyldt")
    if radiance.pyradiance is None:
        pytest.skip("pyradiance is not installed")
    peer = pyldt.LdtReader.read(str(path))
    head = peer.header
    table = np.array(peer.intensities) * sum(head.lamp_flux) / 1000 * head.conv_factor
    c, gamma = np.array(head.c_angles), np.array(head.g_angles)
    photometry = read_photometry(path)
    direction = unit(*np.meshgrid(c, gamma, indexing="ij"))
    ours = intensity_cd(photometry, direction)
    assert np.abs(ours - table).max() <= 1e-6 * table.max()
    # Closed in C and out to 180° in γ, as Radiance needs it.
    if len(c) == 1:
        c, table = np.array([0.0, 360.0]), np.repeat(table, 2, axis=0)
    else:
        c, table = np.append(c, 360.0), np.concatenate([table, table[:1]])
    if gamma[-1] < 180:
        gamma = np.append(gamma, [gamma[-1] + 1e-3, 180.0])
        table = np.pad(table, ((0, 0), (0, 2)))
    if gamma[0] > 0:
        gamma = np.insert(gamma, 0, [0.0, gamma[0] - 1e-3])
        table = np.pad(table, ((0, 0), (2, 0)))
    radiance.data_file(tmp_path / "a.dat", c, gamma, table)
    aim = {"azimuth_deg": 37.0, "tilt_deg": 40.0, "front_c_deg": 90.0, "factor": 2.0}
    tree = radiance.octree(tmp_path, radiance.lamp_text("lamp", "a.dat", 1, 2, 3, **aim))
    rng = np.random.default_rng(2)
    away = rng.normal(size=(3000, 3))
    away /= np.linalg.norm(away, axis=1)[:, None]
    places = np.array([1, 2, 3]) + 30.0 * away
    lux, _ = radiance.trace(tmp_path, tree, places, -away)
    ours = aimed_intensity_cd(Luminaire(photometry, 1, 2, 3, **aim), away)
    assert np.abs(lux * 900.0 - ours).max() <= 2e-3 * ours.max()
    assert np.abs(lux * 900.0 - ours).mean() <= 1e-5 * ours.max()


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_flux_is_the_one_that_the_file_declares(path):
    photometry = read_photometry(path)
    assert flux_lm(photometry) == pytest.approx(photometry.declared_flux_lm, rel=0.03)


def test_flux_of_the_formula():
    """∫ I dΩ = 1000·2π/7 + 100·4π: the sixth power over a hemisphere, and a mean of 100."""
    text = NAMES["C_full_360.ies"]
    want = 1000 * 2 * np.pi / 7 + 400 * np.pi
    assert flux_lm(read_photometry(text)) == pytest.approx(want, rel=0.01)


FAULTS = [
    ("C_full_360.ies", "1 -1 1 37 25", "1 -1 1 38 25", "line"),
    ("C_full_360.ies", "1 -1 1 37 25", "1 -1 1 37.5 25", "line 8: the number of vertical"),
    ("C_full_360.ies", "0 15 30 45", "0 15 x30 45", "line 14: one of the horizontal angles"),
    ("C_full_360.ies", "0 15 30 45", "0 30 15 45", "line 14: horizontal angle 15° follows 30°"),
    ("C_full_360.ies", "170.535", "nan", "line 17: one of the intensities is 'nan'"),
    ("C_full_360.ies", "170.535", "-170.535", "line 17: the intensity -170.535 is negative"),
    ("C_full_360.ies", "TILT=NONE", "TILT=lamp.tlt", "line 7: TILT names another file"),
    ("L2.ldt", "\r\n2\r\n24\r\n", "\r\n5\r\n24\r\n", "line 3: the symmetry"),
    ("L2.ldt", "\r\n2\r\n24\r\n", "\r\n2\r\n25\r\n", "line 4: 25 C planes cannot"),
    ("L2.ldt", "5000", "many", "line 29: the flux of the lamps is 'many'"),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), FAULTS)
def test_faults_say_the_line(name, old, new, said):
    content = NAMES[name].read_bytes().replace(old.encode(), new.encode(), 1)
    with pytest.raises(PhotometryError) as caught:
        parse_photometry(content, name)
    assert said in caught.value.sentence
    assert "\n" not in caught.value.sentence


def test_short_and_foreign_files(tmp_path):
    for content in (b"", b"hello", b"TILT=NONE", b"\x00" * 50, b"IESNA:LM-63-2002\n" * 9):
        with pytest.raises(PhotometryError):
            parse_photometry(content, "x.ies")
        with pytest.raises(PhotometryError):
            parse_photometry(content, "x.ldt")
    with pytest.raises(PhotometryError, match="cannot be read"):
        read_photometry(tmp_path / "none.ies")
    with pytest.raises(PhotometryError, match="cannot be read"):
        read_photometry(tmp_path)


SOURCES = [NAMES[n].read_bytes() for n in ("C_quad_uni.ies", "B_half.ies", "L1.ldt", "L4.ldt")]
SUFFIXES = [".ies", ".ies", ".ldt", ".ldt"]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    which=st.integers(0, 3),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40)), max_size=3),
    puts=st.lists(
        st.tuples(
            st.floats(0, 1),
            st.sampled_from(
                [b"nan", b"-1", b"1e999", b"", b"\n", b"1e308", b"0", b"\xff", b"99999999", b"x,y",
                 b"\xd9\xa3", b"1_0", b"\x0c", b"-0"]
            ) | st.binary(max_size=6),
        ),
        max_size=4,
    ),
)  # fmt: skip
def test_broken_files_never_give_anything_but_a_sentence(which, cuts, puts):
    content = SOURCES[which]
    for share, length in cuts:
        at = int(share * len(content))
        content = content[:at] + content[at + length :]
    for share, piece in puts:
        at = int(share * len(content))
        content = content[:at] + piece + content[at:]
    try:
        photometry = parse_photometry(content, "x" + SUFFIXES[which])
    except PhotometryError as error:
        assert "\n" not in error.sentence
        return
    assert np.isfinite(photometry.intensity_cd).all()
    assert (photometry.intensity_cd >= 0).all()
    assert (np.diff(photometry.azimuth_deg) > 0).all()
    assert (np.diff(photometry.polar_deg) > 0).all()
    assert np.isfinite(flux_lm(photometry))


def test_photometry_is_read_only_and_carries_its_hash():
    photometry = read_photometry(NAMES["projector.ldt"])
    assert len(photometry.sha256) == 64
    with pytest.raises(ValueError, match="read-only"):
        photometry.intensity_cd[0, 0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        photometry.name = "x"
