"""Chainage along the line, polygons of the zone, grids."""
