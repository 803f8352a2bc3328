"""Registering over HTTP, as the frontends send it."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from assets.models import Asset, SequenceReservation
from taxonomy.lookup import Directory
from tests.assets.conftest import stored_bytes
from tests.support.media import make_png, upload

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def taxonomy(directory: Directory) -> Directory:
    return directory


def send(api: APIClient, **parts: Any) -> Any:
    """Parts as the frontend sends them; None leaves a part out, a list repeats it."""
    form = {
        "file": upload(), "layer": "L", "category": "Casual", "subcategory": "Athleisure", "source": "ReViz",
        "description": "Slate zip hoodie", "tags": '["general"]',
        "trainingData": '{"prompts":[],"images":[],"videos":[]}',
        "rights": '{"source":"Original","rights_split":"100%"}',
    } | parts  # fmt: skip
    form = {name: value for name, value in form.items() if value is not None}
    return api.post("/api/assets", form, format="multipart")


def test_a_look_is_registered_under_the_first_number_of_its_place(editor_api: APIClient, editor: Any) -> None:
    png = make_png("red")
    answer = send(editor_api, file=upload("Slate hoodie.final.PNG", png))
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["success"] is True
    asset = body["data"]
    row = Asset.objects.get()
    assert asset["_id"] == asset["id"] == row.public_id
    assert asset["name"] == "L.CAS.ATL.001"
    assert asset["nna_address"] == row.nna_address == "L.001.002.001"
    assert asset["category"] == "Casual"
    assert asset["subcategory"] == "Athleisure"
    assert asset["gcpStorageUrl"] == "http://testserver/media/L/CAS/ATL/L.CAS.ATL.001.png"
    assert asset["registeredBy"] == editor.email
    assert asset["fileSize"] == len(png)
    assert asset["mimeType"] == "image/png"
    assert asset["originalFilename"] == "Slate hoodie.final.PNG"
    assert asset["trainingData"] == {"prompts": [], "images": [], "videos": []}
    assert asset["rights"] == {"source": "Original", "rights_split": "100%"}
    assert asset["tags"] == ["general"]
    assert stored_bytes("L/CAS/ATL/L.CAS.ATL.001.png") == png
    assert not SequenceReservation.objects.exists()
