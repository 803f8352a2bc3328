"""The taxonomy's answers, written once a version and kept as bytes."""

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
def index_body(directory: TaxonomySnapshot) -> bytes:
    """Names and counts for two parsers at once: one reads the counts, the other counts the keys."""
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
        for layer in directory.layers
    }
    return orjson.dumps(
        {
            "version": directory.version,
            "lastUpdated": last_updated(directory),
            "totalLayers": len(directory.layers),
            "source": "backend",
            "layers": layers,
        }
    )


@lru_cache(maxsize=4)
def tree_body(directory: TaxonomySnapshot) -> bytes:
    return orjson.dumps(_tree(directory))


@lru_cache(maxsize=4)
def sync_body(directory: TaxonomySnapshot) -> bytes:
    return orjson.dumps(
        {
            "version": directory.version,
            "data": _tree(directory),
            "metadata": {
                "generatedAt": last_updated(directory),
                "layerCount": len(directory.layers),
                "totalItems": count_nodes(directory),
            },
        }
    )


def _tree(directory: TaxonomySnapshot) -> dict[str, Any]:
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
        for layer in directory.layers
    }


def version_body(directory: TaxonomySnapshot) -> dict[str, Any]:
    return {
        "version": directory.version,
        "lastUpdated": last_updated(directory),
        "status": "active",
        "checksum": directory.digest,
        "totalNodes": count_nodes(directory),
    }


def layers_body(directory: TaxonomySnapshot) -> dict[str, str]:
    return {layer.code: layer.name for layer in directory.layers}


def categories_body(layer: LayerNode) -> dict[str, Any]:
    categories = [
        {"code": entry.code, "name": entry.name, "numericCode": f"{entry.number:03d}"} for entry in layer.categories
    ]
    return {"layer": layer.code, "categories": categories, "count": len(categories)}


def subcategories_body(layer: LayerNode, category: CategoryNode) -> dict[str, Any]:
    """Codes are dotted, `POP.BAS`, as the live server has them."""
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


def health_body(directory: TaxonomySnapshot) -> dict[str, Any]:
    """`unhealthy` without a taxonomy, `degraded` with layers missing."""
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    database_ms = round((time.perf_counter() - started) * 1000, 2)
    checks = {
        "taxonomyData": "ok" if directory.version_pk else "missing",
        "layerLookups": "ok" if len(directory.layers) == len(LAYER_NUMBERS) else "incomplete",
        "subcategoryData": "ok" if next(directory.nodes(), None) else "missing",
    }
    bad = [name for name, state in checks.items() if state != "ok"]
    return {
        "status": "healthy" if not bad else "degraded" if directory.version_pk else "unhealthy",
        "version": directory.version,
        "totalLayers": len(directory.layers),
        "checks": checks,
        "environment": settings.ENVIRONMENT_NAME,
        "uptime": round(time.monotonic() - _started, 1),
        "timestamp": format_timestamp(timezone.now()),
        "lastUpdated": last_updated(directory),
        "totalCategories": sum(len(layer.categories) for layer in directory.layers),
        "totalSubcategories": sum(count_subcategories(layer) for layer in directory.layers),
        "services": {"database": {"status": "ok", "responseTime": database_ms}, "cache": {"status": "ok"}},
    }


def count_subcategories(layer: LayerNode) -> int:
    return sum(len(category.nodes) for category in layer.categories)


def count_nodes(directory: TaxonomySnapshot) -> int:
    """Layers, categories and subcategories together."""
    return sum(1 + len(layer.categories) + count_subcategories(layer) for layer in directory.layers)


def last_updated(directory: TaxonomySnapshot) -> str | None:
    return format_timestamp(directory.updated_at) if directory.updated_at else None
