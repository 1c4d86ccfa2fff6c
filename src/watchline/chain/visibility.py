"""The visibility step: computed chunk by chunk onto the disk, with time left and memory told."""

from __future__ import annotations

from watchline.chain.progress import Progress
from watchline.design.see import compute_visibility, memory_bytes, sight_note
from watchline.io.run import Run
from watchline.io.visibility import VisibilityWriter, read_visibility
from watchline.model.candidates import Candidates
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.model.visibility import Visibility

FILE = "visibility.zarr"
ROUND_FILE = "rounds/visibility.zarr"


def visibility_of(
    site: Site,
    terrain: Terrain,
    candidates: Candidates,
    run: Run,
    listener: Progress,
    device: str = "cpu",
) -> Visibility:
    """Visibility step: read back where it is kept, else computed straight into the run's folder."""
    listener.step(
        "visibility", f"{len(candidates.mounts):,} mounts × {len(candidates.cells):,} cells"
    )
    return run.step(
        "visibility",
        (FILE,),
        lambda: _computed(site, terrain, candidates, run, listener, FILE, device),
        lambda made, folder: None,
        lambda folder: read_visibility(folder / FILE),
    )


def round_visibility(
    site: Site,
    terrain: Terrain,
    candidates: Candidates,
    run: Run,
    listener: Progress,
    device: str = "cpu",
) -> Visibility:
    """Visibility of a repair round, which has more cells; it replaces that of the round before."""
    listener.step("visibility", f"{len(candidates.cells):,} cells with the failing ones")
    return _computed(site, terrain, candidates, run, listener, ROUND_FILE, device)


def _computed(
    site: Site,
    terrain: Terrain,
    candidates: Candidates,
    run: Run,
    listener: Progress,
    file: str,
    device: str,
) -> Visibility:
    on_disk, in_memory = memory_bytes(terrain, candidates)
    listener.say(
        f"Visibility holds {on_disk / 1e6:,.1f} MB of bits, packed on the disk, and takes at most "
        f"{in_memory / 1e6:,.0f} MB of memory at a time."
    )
    made = compute_visibility(
        terrain,
        candidates,
        method=site.visibility.method,
        spacing=site.visibility.spacing,
        device=device,
        sink=VisibilityWriter(run.folder / file),
        progress=listener.share,
    )
    if site.visibility.method != "exact":
        listener.say(sight_note(made))
    return made
