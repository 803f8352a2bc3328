"""Response bodies of the taxonomy. Large ones are cached as bytes for each snapshot."""

import time
from functools import lru_cache
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.utils import timezone

from common.timestamps import format_timestamp
from taxonomy.addresses import LAYER_NUMBERS
from taxonomy.snapshot import CategoryNode, LayerNode, TaxonomySnapshot

_started = time.monotonic()


@lru_cache(maxsize=4)
def index_body(taxonomy: TaxonomySnapshot) -> bytes:
    """Return names and counts. Clients have two parsers: one reads the counts, the other counts the keys."""
    layers = {
        layer.code: {
            "name": layer.name,
            "totalCategories": len(layer.categories),
            "totalSubcategories": count_subcategories(layer),
            "categories": {
                category.code: {
                    "name": category.name,
                    "subcategoryCount": len(category.nodes),
                    "subcategories": {node.code: node.name for node in category.nodes},
                }
                for category in layer.categories
            },
        }
        for layer in taxonomy.layers
    }
    return orjson.dumps(
        {
            "version": taxonomy.version,
            "lastUpdated": last_updated(taxonomy),
            "totalLayers": len(taxonomy.layers),
            "source": "backend",
            "layers": layers,
        }
    )


@lru_cache(maxsize=4)
def tree_body(taxonomy: TaxonomySnapshot) -> bytes:
    return orjson.dumps(_tree(taxonomy))


@lru_cache(maxsize=4)
def sync_body(taxonomy: TaxonomySnapshot) -> bytes:
    return orjson.dumps(
        {
            "version": taxonomy.version,
            "data": _tree(taxonomy),
            "metadata": {
                "generatedAt": last_updated(taxonomy),
                "layerCount": len(taxonomy.layers),
                "totalItems": count_nodes(taxonomy),
            },
        }
    )


def _tree(taxonomy: TaxonomySnapshot) -> dict[str, Any]:
    return {
        layer.code: {
            "name": layer.name,
            "numericCode": str(layer.number),
            "categories": {
                category.code: {
                    "name": category.name,
                    "numericCode": f"{category.number:03d}",
                    "subcategories": {
                        node.code: {
                            "name": node.name,
                            "numericCode": f"{node.number:03d}",
                            "description": node.description,
                        }
                        for node in category.nodes
                    },
                }
                for category in layer.categories
            },
        }
        for layer in taxonomy.layers
    }


def version_body(taxonomy: TaxonomySnapshot) -> dict[str, Any]:
    return {
        "version": taxonomy.version,
        "lastUpdated": last_updated(taxonomy),
        "status": "active",
        "checksum": taxonomy.digest,
        "totalNodes": count_nodes(taxonomy),
    }


def layers_body(taxonomy: TaxonomySnapshot) -> dict[str, str]:
    return {layer.code: layer.name for layer in taxonomy.layers}


def categories_body(layer: LayerNode) -> dict[str, Any]:
    categories = [
        {"code": entry.code, "name": entry.name, "numericCode": f"{entry.number:03d}"} for entry in layer.categories
    ]
    return {"layer": layer.code, "categories": categories, "count": len(categories)}


def subcategories_body(layer: LayerNode, category: CategoryNode) -> dict[str, Any]:
    """Codes are dotted, `POP.BAS`, as in the legacy API."""
    subcategories = [
        {"code": f"{category.code}.{node.code}", "name": node.name, "numericCode": f"{node.number:03d}"}
        for node in category.nodes
    ]
    return {
        "layer": layer.code,
        "category": category.code,
        "subcategories": subcategories,
        "count": len(subcategories),
    }


def subcategory_counts_body(layer: LayerNode) -> dict[str, Any]:
    return {
        "layer": layer.code,
        "counts": [{"category": entry.code, "count": len(entry.nodes)} for entry in layer.categories],
        "totalCategories": len(layer.categories),
        "totalSubcategories": count_subcategories(layer),
    }


def health_body(taxonomy: TaxonomySnapshot) -> dict[str, Any]:
    """The status is `unhealthy` without a taxonomy and `degraded` if layers or nodes are missing."""
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    database_ms = round((time.perf_counter() - started) * 1000, 2)
    checks = {
        "taxonomyData": "ok" if taxonomy.version_pk else "missing",
        "layerLookups": "ok" if len(taxonomy.layers) == len(LAYER_NUMBERS) else "incomplete",
        "subcategoryData": "ok" if next(taxonomy.nodes(), None) else "missing",
    }
    failed = [name for name, state in checks.items() if state != "ok"]
    return {
        "status": "healthy" if not failed else "degraded" if taxonomy.version_pk else "unhealthy",
        "version": taxonomy.version,
        "totalLayers": len(taxonomy.layers),
        "checks": checks,
        "environment": settings.ENVIRONMENT_NAME,
        "uptime": round(time.monotonic() - _started, 1),
        "timestamp": format_timestamp(timezone.now()),
        "lastUpdated": last_updated(taxonomy),
        "totalCategories": sum(len(layer.categories) for layer in taxonomy.layers),
        "totalSubcategories": sum(count_subcategories(layer) for layer in taxonomy.layers),
        "services": {"database": {"status": "ok", "responseTime": database_ms}, "cache": {"status": "ok"}},
    }


def count_subcategories(layer: LayerNode) -> int:
    return sum(len(category.nodes) for category in layer.categories)


def count_nodes(taxonomy: TaxonomySnapshot) -> int:
    """Count layers, categories and subcategories."""
    return sum(1 + len(layer.categories) + count_subcategories(layer) for layer in taxonomy.layers)


def last_updated(taxonomy: TaxonomySnapshot) -> str | None:
    return format_timestamp(taxonomy.updated_at) if taxonomy.updated_at else None
