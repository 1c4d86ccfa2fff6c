"""Check a certificate's file, and that the plan beside it is the one it speaks of."""

from __future__ import annotations

from pathlib import Path

from watchline.errors import WatchlineError
from watchline.io.certificate import CERTIFICATE_FILE, read_certificate
from watchline.io.plan import read_plan
from watchline.model.certificate import Certificate
from watchline.model.plan import plan_digest
from watchline.prove.certified import Certified, judge_certificate

PLAN_FILE = "plan.gpkg"


def check_certificate_file(path: Path) -> tuple[Certificate, Certified]:
    """Check a certificate by integers, without anything of the optimiser.

    Parameters
    ----------
    path : Path
        The JSON file, or the folder of a run that holds it.

    Returns
    -------
    certificate : Certificate
        What was read.
    certified : Certified
        What it proves, and what is wrong with it.

    Raises
    ------
    ArtefactError
        The files cannot be read.
    """
    file = path / CERTIFICATE_FILE if path.is_dir() else path
    found = read_certificate(file)
    certificate = found.certificate
    faults = list(found.faults)
    plan_file = file.parent / PLAN_FILE
    if file.name == CERTIFICATE_FILE and plan_file.is_file():
        try:
            plan = read_plan(plan_file)
        except WatchlineError as error:
            faults.append(error.sentence)
        else:
            if plan_digest(plan) != certificate.plan_sha256:
                faults.append(
                    f"{PLAN_FILE} beside it is not the plan that was reported with this bound."
                )
    return certificate, judge_certificate(certificate, tuple(faults))
