"""Drawings used by the chapters: arrays in, a matplotlib ``Figure`` out; nothing is computed here."""
from .style import COLORS, new_figure, styled

__all__ = ["COLORS", "new_figure", "styled"]
