"""BlurHash, compared with the published algorithm."""

import pytest

from imaging.blurhash import encode_blurhash
from tests.support.sample_images import draw_scene

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"


def number_of(text: str) -> int:
    value = 0
    for character in text:
        value = value * 83 + _ALPHABET.index(character)
    return value


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (18, 200, 77)])
def test_the_hash_contains_the_mean_color(colour: tuple[int, int, int]) -> None:
    text = encode_blurhash([colour] * 64, 8, 8)
    assert text[0] == _ALPHABET[3 + 2 * 9]
    assert number_of(text[2:6]) == colour[0] << 16 | colour[1] << 8 | colour[2]
    assert len(text) == 6 + 2 * 11


def test_a_known_image_has_a_known_hash() -> None:
    """Black left, white right: the first horizontal component is the largest and negative, vertical ones are zero."""
    text = encode_blurhash([(0, 0, 0)] * 4 + [(255, 255, 255)] * 4, 8, 1)
    details = [number_of(text[at : at + 2]) for at in range(6, 28, 2)]
    middle = 9 * 19 * 19 + 9 * 19 + 9
    assert details[0] == 0
    assert details[2] > middle
    assert number_of(text[2:6]) == 188 << 16 | 188 << 8 | 188


def test_the_hash_hardly_depends_on_the_size() -> None:
    first, second = (
        encode_blurhash(list(draw_scene(side, side).get_flattened_data()), side, side) for side in (24, 48)
    )
    assert abs(number_of(first[1]) - number_of(second[1])) <= 6  # the largest component has 82 steps
