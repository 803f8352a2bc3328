import itertools
import json

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.tokens import issue_token
from assets.models import Asset
from taxonomy.sync import import_document
from tests.factories.taxonomy import load_starter_taxonomy
from tests.support.shared_data import shared_file

_numbers = itertools.count(1)


@pytest.fixture
def starter(db):
    return load_starter_taxonomy()


@pytest.fixture
def organisation(db):
    """Import the organization's own taxonomy and return its bytes."""
    content = shared_file("taxonomy.json").read_bytes()
    import_document(json.loads(content), by=None, now=timezone.now())
    return content


@pytest.fixture
def admin_user(db):
    return get_user_model().objects.create_superuser(f"root{next(_numbers)}@example.com", password="long enough pass")


@pytest.fixture
def api(starter):
    return APIClient()


@pytest.fixture
def admin_api(starter, admin_user):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_token(admin_user, timezone.now())}")
    return client


@pytest.fixture
def use_node(db):
    """Create an asset below a node, with the next sequence number."""

    def use(node, **fields):
        number = next(_numbers)
        return Asset.objects.create(
            layer=node.layer,
            category=node.category_name,
            subcategory=node.name,
            taxonomy_node_id=node.pk,
            sequence_number=number,
            name=node.hfn(number),
            nna_address=node.mfa(number),
            media_url="https://media.example.test/a.png",
            source="ReViz",
            registered_by="someone@example.com",
            **fields,
        )

    return use
