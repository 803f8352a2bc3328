"""Page parameters, strict and lenient."""

import pytest

from api.pagination import PageParams, parse_page_params
from common.errors import InvalidInput


def parse_lenient(**params: str) -> PageParams:
    return parse_page_params(
        params, limit_name="per_page", default_limit=20, max_limit=100, max_page=1_000_000, is_lenient=True
    )


def test_strict_parameters_name_what_is_wrong():
    assert parse_page_params({"page": "2", "limit": "5"}) == PageParams(2, 5)
    for params, name in (({"page": "0"}, "page"), ({"limit": "ten"}, "limit")):
        with pytest.raises(InvalidInput, match=f"{name} must be an integer number not less than 1"):
            parse_page_params(params)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, (1, 20)),
        ({"page": "3", "per_page": "7"}, (3, 7)),
        ({"page": "three", "per_page": "--7"}, (1, 20)),
        ({"page": "-3", "per_page": "0"}, (1, 1)),
        ({"page": "99999999", "per_page": "500"}, (1_000_000, 100)),
        ({"page": "9" * 30, "limit": "7"}, (1, 20)),
    ],
)
def test_lenient_parameters_fall_back_to_the_default_and_the_bounds(params, expected):
    assert parse_lenient(**params) == PageParams(*expected)
