"""Schemas of the files that people write; units are parsed here, once."""
