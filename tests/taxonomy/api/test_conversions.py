import pytest

pytestmark = pytest.mark.django_db
HFN = "/api/taxonomy/convert/hfn-to-mfa"
MFA = "/api/taxonomy/convert/mfa-to-hfn"


def test_converts_an_hfn_to_a_numeric_mfa(api):
    response = api.post(HFN, {"hfn": "L.CAS.ATL.001"}, format="json")
    assert response.status_code == 200
    assert response.json() == {"hfn": "L.CAS.ATL.001", "mfa": "3.001.002.001", "success": True, "valid": True}


@pytest.mark.parametrize("address", ["3.001.002.001", "L.001.002.001", "l.001.002.001"])
def test_converts_an_mfa_of_either_notation_to_an_hfn(api, address):
    response = api.post(MFA, {"mfa": address}, format="json")
    assert response.json() == {"mfa": address, "hfn": "L.CAS.ATL.001", "success": True, "valid": True}


@pytest.mark.parametrize("text", ["", "x", "L.XXX.ATL.001", "L.001.999.001", "😀", "L.CAS.ATL.001:" * 100])
@pytest.mark.parametrize(("path", "source", "target"), [(HFN, "hfn", "mfa"), (MFA, "mfa", "hfn")])
def test_a_conversion_error_is_a_200_with_the_error(api, path, source, target, text):
    response = api.post(path, {source: text}, format="json")
    assert response.status_code == 200
    body = response.json()
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
def test_an_invalid_body_is_400_with_the_field(api, body):
    response = api.generic("POST", HFN, body, content_type="application/json")
    assert response.status_code == 400
    assert "hfn" in response.json()["message"] or "mfa" in response.json()["message"]


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
def test_an_unreadable_body_is_4xx_in_the_error_envelope(api, body, content_type, status):
    response = api.generic("POST", HFN, body, content_type=content_type)
    assert (response.status_code, response.json()["statusCode"]) == (status, status)
    assert response.json()["success"] is False


def test_get_is_405_with_a_json_body(api):
    response = api.get(HFN)
    assert (response.status_code, response.json()["success"]) == (405, False)
