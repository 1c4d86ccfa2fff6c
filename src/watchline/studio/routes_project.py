"""Routes on the project: what it is, its catalogue and the layers of its map."""

from __future__ import annotations

from fastapi import APIRouter

from watchline.studio.answers import CatalogueInfo, FeatureCollection, LayerInfo, ProjectInfo
from watchline.studio.needs import FAULTS, PlanName, TheStudio

router = APIRouter(prefix="/api", tags=["project"], responses=FAULTS)


@router.get("/project")
def get_project(studio: TheStudio) -> ProjectInfo:
    """The project: line, bounds, conditions, requirements, steps and plans."""
    return studio.project()


@router.get("/catalogue")
def get_catalogue(studio: TheStudio) -> CatalogueInfo:
    """Devices and structures with lenses, heights and prices."""
    return studio.catalogue()


@router.get("/layers")
def list_layers(studio: TheStudio) -> list[LayerInfo]:
    """Layers of the map that this project has."""
    return studio.layers()


@router.get("/layers/{name}")
def get_layer(studio: TheStudio, name: str, plan: PlanName | None = None) -> FeatureCollection:
    """One layer as GeoJSON; ``plan`` says whose lights or weakest path."""
    return studio.layer(name, plan)
