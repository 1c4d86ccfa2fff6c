"""Breach paths: how someone would cross with the least chance of being stopped, and who comes."""
