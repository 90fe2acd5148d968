"""Every operation on one sheet."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from docs.generate.photographs import COLUMNS, ROWS

TILES_ACROSS = 6
_GAP_PX = 8
_LABEL_PX = 22
_PAPER, _INK = (255, 255, 255), (30, 30, 30)


def contact_sheet(tiles: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Return a grid of pictures of at most 240 × 160 pixels, each with its label below."""
    down = -(-len(tiles) // TILES_ACROSS)
    width, height = COLUMNS + _GAP_PX, ROWS + _LABEL_PX + _GAP_PX
    sheet = Image.new("RGB", (TILES_ACROSS * width + _GAP_PX, down * height + _GAP_PX), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=15)
    for number, (label, picture) in enumerate(tiles):
        left = _GAP_PX + number % TILES_ACROSS * width
        top = _GAP_PX + number // TILES_ACROSS * height
        sheet.paste(picture, (left + (COLUMNS - picture.width) // 2, top + (ROWS - picture.height) // 2))
        draw.text((left + COLUMNS // 2, top + ROWS + 2), label, _INK, font, anchor="ma")
    return sheet
