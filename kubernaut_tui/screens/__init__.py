"""Screens as pure functions from the state to lines."""
