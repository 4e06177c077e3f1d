"""Offtape: pauses call recordings while a caller enters a card, and proves it."""
