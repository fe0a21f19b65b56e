"""What every picture of the platform shares: figures without a display, colours, and PNG bytes small enough for the
graph's metadata. What is drawn belongs to who draws it.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LARGEST_PNG_BYTES = 40_000
"""Metadata is stored with every materialisation; larger pictures fill the instance's database."""

PALETTE = 48
"""Colours in a picture: drawings need few, and a palette makes the file a third as large."""

BLUE, GREY, RED = "#1f5fa8", "#9a9a9a", "#b3382c"


def new_figure(panels: int) -> tuple[Figure, list[Axes]]:
    """A figure with `panels` side by side, drawn without a display and without pyplot's global state."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(4.0 * panels, 3.2), layout="constrained")
    return drawn, [drawn.add_subplot(1, panels, place + 1) for place in range(panels)]


def png_of(drawn: Figure) -> bytes:
    """The picture's bytes at the finest resolution that fits; raises ValueError when none does."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas: Any = FigureCanvasAgg(drawn)  # the library leaves its methods untyped
    for dots_per_inch in (110, 90, 70, 50):
        drawn.set_dpi(dots_per_inch)
        canvas.draw()
        sink = BytesIO()
        pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        pixels.quantize(PALETTE, dither=Image.Dither.NONE).save(sink, format="png", optimize=True)
        if len(sink.getvalue()) <= LARGEST_PNG_BYTES:
            return sink.getvalue()
    raise ValueError(f"the picture takes more than {LARGEST_PNG_BYTES} bytes at any resolution")
