"""The page's own looks: what Streamlit's theme does not cover."""

import numpy as np
from PIL import Image

_TEAL = (15, 118, 110, 255)
_HALO = (45, 212, 191, 255)

STYLE = """<style>
.stMainBlockContainer { padding-top: 4rem; padding-bottom: 3rem; }
[class*="st-key-job_"] [data-testid="stMarkdownContainer"] p { overflow-wrap: anywhere; }
[class*="st-key-up_"] p, [class*="st-key-down_"] p, [class*="st-key-remove_"] p,
[class*="st-key-switch_"] p, [class*="st-key-unpick_"] p {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
}
.halorow-nodes { overflow-x: auto; }
.halorow-nodes table { border-collapse: collapse; width: 100%; font-size: .875rem; }
.halorow-nodes th, .halorow-nodes td {
  text-align: left; font-weight: 400; padding: .35rem .75rem .35rem 0; white-space: nowrap;
  border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); vertical-align: top;
}
.halorow-nodes thead th, .halorow-unknown { opacity: .7; }
.halorow-nodes tbody th { font-weight: 600; }
.halorow-bar {
  display: block; height: 5px; min-width: 5rem; margin-top: .3rem; border-radius: 3px; overflow: hidden;
  background: color-mix(in srgb, currentColor 18%, transparent);
}
.halorow-bar i { display: block; height: 100%; background: #14b8a6; }
</style>"""
"""Less empty space above, long file names that wrap, and buttons whose names are for screen readers."""


def icon(side_px: int = 32) -> Image.Image:
    """Return the page's icon: the slabs of two ranks, and the halo rows between them."""
    pixels = np.zeros((side_px, side_px, 4), np.uint8)
    third = side_px // 3
    edge = side_px // 12
    pixels[edge : third + edge, edge:-edge] = _TEAL
    pixels[-third - edge : -edge, edge:-edge] = _TEAL
    pixels[third + edge : -third - edge : 2, edge:-edge] = _HALO
    return Image.fromarray(pixels)
