"""Widgets: they paint what they are given and know nothing else."""
