"""The seven artefacts: site, terrain, candidates, visibility, plan, proof, report."""
