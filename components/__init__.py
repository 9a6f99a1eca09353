"""Pulumi components: one noun, one file, one class, one ``Args``."""
