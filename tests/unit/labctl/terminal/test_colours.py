"""The colours of the mechanisms can be told apart, with every common kind of colour vision."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from ipclab import mechanisms
from labctl.terminal import colours
from labctl.terminal.colours import SPARE, of_mechanism

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

_PICTURES = Path(__file__).resolve().parents[4] / "docs" / "images"
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


# What Grafana's panels are on: the themes' `background.primary`.
_THEMES = {"dark": "#181B1F", "light": "#FFFFFF"}
_LINES = {
    **{name: colour(name) for name in NAMES},
    **{f"mark {name}": code for name, code in colours.MARKS.items()},
    "alarm": colours.ALARM,
    "calm": colours.CALM,
    "nobody's": colours.NOBODYS,
}


def contrast(one: str, other: str) -> float:
    """WCAG 2.1, contrast ratio: 1 is none, 21 is black on white."""
    darker, lighter = sorted(through(_XYZ, linear(code))[1] for code in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21, abs=0.1)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert contrast("#DBDBFF", "#FFFFFF") < 1.5, "near white on a light projector"


@pytest.mark.parametrize("theme", _THEMES)
@pytest.mark.parametrize("name", _LINES)
def test_every_line_and_mark_stands_out_from_both_themes(name: str, theme: str) -> None:
    """WCAG 2.1, 1.4.11: a graphical object needs 3 to 1."""
    assert contrast(_LINES[name], _THEMES[theme]) >= 3


def test_the_pictures_show_the_colours_that_the_screen_has() -> None:
    """With a palette of 256, two mechanisms came out as other ones."""
    pictures = sorted(_PICTURES.glob("*.png"))
    assert pictures
    assert {picture.name: tuple(picture.read_bytes()[24:26]) for picture in pictures} == {
        picture.name: (8, _TRUECOLOUR) for picture in pictures
    }
