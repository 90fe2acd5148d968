"""Where the pixels of an image came from, for the metadata that say where a picture lies."""

from typing import NamedTuple


class Placement(NamedTuple):
    """An affine map from places in the image after a step to places in the image before it.

    Places are in pixels from the upper left corner of the upper left pixel, x to the right and y
    down::

        x_before = a · x + b · y + c
        y_before = d · x + e · y + f
    """

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def after(self, earlier: "Placement") -> "Placement":
        """Return the map from the image after both steps to the one before ``earlier``."""
        a, b, c, d, e, f = earlier
        return Placement(
            a * self.a + b * self.d,
            a * self.b + b * self.e,
            a * self.c + b * self.f + c,
            d * self.a + e * self.d,
            d * self.b + e * self.e,
            d * self.c + e * self.f + f,
        )

    def inverse(self) -> "Placement":
        """Return the map from places in the image before to places in the image after."""
        a, b, c, d, e, f = self
        determinant = a * e - b * d
        ia, ib, id_, ie = e / determinant, -b / determinant, -d / determinant, a / determinant
        return Placement(ia, ib, -(ia * c + ib * f), id_, ie, -(id_ * c + ie * f))

    def moved(self, x: float, y: float) -> tuple[float, float]:
        """Return the place that belongs to a place."""
        return self.a * x + self.b * y + self.c, self.d * x + self.e * y + self.f


SAME = Placement(1, 0, 0, 0, 1, 0)
"""Nothing is moved."""
