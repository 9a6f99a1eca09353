"""Checks and profiles of what the other packages wrote."""
