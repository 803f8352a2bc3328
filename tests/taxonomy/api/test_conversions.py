import pytest

pytestmark = pytest.mark.django_db
HFN = "/api/taxonomy/convert/hfn-to-mfa"
MFA = "/api/taxonomy/convert/mfa-to-hfn"


def test_a_name_converts_to_the_numeric_layer(api):
    answer = api.post(HFN, {"hfn": "L.CAS.ATL.001"}, format="json")
    assert answer.status_code == 200
    assert answer.json() == {"hfn": "L.CAS.ATL.001", "mfa": "3.001.002.001", "success": True, "valid": True}


@pytest.mark.parametrize("address", ["3.001.002.001", "L.001.002.001", "l.001.002.001"])
def test_an_address_of_either_notation_converts_to_the_name(api, address):
    answer = api.post(MFA, {"mfa": address}, format="json")
    assert answer.json() == {"mfa": address, "hfn": "L.CAS.ATL.001", "success": True, "valid": True}


@pytest.mark.parametrize("text", ["", "x", "L.XXX.ATL.001", "L.001.999.001", "😀", "L.CAS.ATL.001:" * 100])
@pytest.mark.parametrize(("path", "source", "target"), [(HFN, "hfn", "mfa"), (MFA, "mfa", "hfn")])
def test_a_failure_is_a_200_that_says_so(api, path, source, target, text):
    answer = api.post(path, {source: text}, format="json")
    assert answer.status_code == 200
    body = answer.json()
    assert body.pop("error")
    assert body == {source: text, target: None, "success": False, "valid": False}


@pytest.mark.parametrize(
    "body",
    [
        '{"hfn": 5}',
        '{"hfn": null}',
        '{"hfn": ["L.CAS.ATL.001"]}',
        '{"hfn": "a\\u0000b"}',
        "{}",
        '{"mfa": "L.CAS.ATL.001"}',
    ],
)
def test_a_body_of_wrong_shape_names_the_field(api, body):
    answer = api.generic("POST", HFN, body, content_type="application/json")
    assert answer.status_code == 400
    assert "hfn" in answer.json()["message"] or "mfa" in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("[1]", "application/json", 400),
        ('"text"', "application/json", 400),
        ("nonsense", "application/json", 400),
        ('{"hfn": "\\ud800"}', "application/json", 400),
        ("[" * 5000, "application/json", 400),
        ("hfn=1", "application/x-www-form-urlencoded", 415),
        ('{"hfn": "' + "x" * 1_100_000 + '"}', "application/json", 413),
    ],
)
def test_a_body_that_cannot_be_read_is_a_4xx_in_the_error_envelope(api, body, content_type, status):
    answer = api.generic("POST", HFN, body, content_type=content_type)
    assert (answer.status_code, answer.json()["statusCode"]) == (status, status)
    assert answer.json()["success"] is False


def test_get_is_not_allowed_and_answers_json(api):
    answer = api.get(HFN)
    assert (answer.status_code, answer.json()["success"]) == (405, False)
