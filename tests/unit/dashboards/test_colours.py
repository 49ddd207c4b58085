"""The colours of the mechanisms can be told apart, with every common kind of colour vision."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from dashboards.colours import SPARE, of_mechanism

from ipclab import mechanisms

# Machado, Oliveira and Fernandes (2009), severity 1.0: what is seen of linear red, green and blue.
_VISION = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
# The rows that make CIE X, Y and Z of linear sRGB, and the white of D65.
_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
_WHITE = (0.9505, 1.0, 1.089)

_PICTURES = Path(__file__).resolve().parents[3] / "docs" / "images"
_TRUECOLOUR = 2  # PNG, 11.2.1 IHDR: bit depth and colour type are bytes 24 and 25

Triple = tuple[float, ...]


def through(matrix: tuple[Triple, ...], colour: Triple) -> Triple:
    return tuple(sum(factor * part for factor, part in zip(row, colour, strict=True)) for row in matrix)


def linear(colour: str) -> Triple:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return tuple(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)


def cielab(colour: Triple) -> Triple:
    shares = [part / white for part, white in zip(through(_XYZ, colour), _WHITE, strict=True)]
    x, y, z = (share ** (1 / 3) if share > 0.008856 else 7.787 * share + 16 / 116 for share in shares)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


# A mechanism that is added later gets a spare colour.
NAMES = [*mechanisms.names(), *SPARE]


def colour(name: str) -> str:
    return name if name in SPARE else of_mechanism(name)


@pytest.mark.parametrize("vision", _VISION)
def test_any_two_mechanisms_look_different(vision: str) -> None:
    """CIE76: 2.3 is just noticed side by side; thin lines apart from each other need several times that."""

    def seen(name: str) -> Triple:
        return cielab(tuple(min(1.0, max(0.0, part)) for part in through(_VISION[vision], linear(colour(name)))))

    distances = {
        (one, other): sum((a - b) ** 2 for a, b in zip(seen(one), seen(other), strict=True)) ** 0.5
        for one, other in combinations(NAMES, 2)
        if colour(one) != colour(other)
    }
    closest = min(distances, key=lambda pair: distances[pair])
    assert distances[closest] > 15, closest


def test_every_mechanism_has_a_colour_of_its_own() -> None:
    colours = [of_mechanism(name) for name in mechanisms.names()]
    assert len(set(colours)) == len(colours)


def test_every_mechanism_stands_out_from_a_dark_screen() -> None:
    for name in NAMES:
        luminance = through(_XYZ, linear(colour(name)))[1]
        assert (luminance + 0.05) / (0.01 + 0.05) >= 4.5, name  # text on #181B1F: WCAG 2.1, 1.4.3


def test_the_pictures_show_the_colours_that_the_screen_has() -> None:
    """With a palette of 256, two mechanisms came out as other ones."""
    pictures = sorted(_PICTURES.glob("*.png"))
    assert pictures
    assert {picture.name: tuple(picture.read_bytes()[24:26]) for picture in pictures} == {
        picture.name: (8, _TRUECOLOUR) for picture in pictures
    }
