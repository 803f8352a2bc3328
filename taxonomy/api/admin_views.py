"""`/api/taxonomy/...` for admins: nodes, documents, checks. Responses use the envelope."""

import logging
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.envelopes import success
from api.permissions import IsAdminRole
from common.timestamps import format_timestamp
from taxonomy.api.representations import count_nodes
from taxonomy.api.serializers import InvalidateSerializer, NodeChangeSerializer, NodeSerializer
from taxonomy.consistency import find_errors, find_warnings
from taxonomy.editing import NodeData, TaxonomyNode, create_node, delete_node, update_node
from taxonomy.errors import InvalidTaxonomyPath, NodeNotFound
from taxonomy.models import Category, Layer, Subcategory
from taxonomy.snapshot_cache import clear_taxonomy_cache, current_taxonomy
from taxonomy.sync import export_document, import_document

log = logging.getLogger(__name__)


class AdminView(APIView):
    permission_classes = (IsAdminRole,)


class NodesView(AdminView):
    def post(self, request: Request) -> Response:
        serializer = NodeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        parent: Layer | Category
        layer = current_taxonomy().resolve_layer(data["layer"])
        if data.get("subcategory"):
            found = layer.find(data["category"])
            row = found and Category.objects.select_related("layer").filter(pk=found.pk).first()
            if row is None:
                raise InvalidTaxonomyPath(
                    f"Invalid category: {data['category']} for layer: {layer.code}", field="category"
                )
            parent, code = row, data["subcategory"]
        else:
            parent, code = Layer.objects.get(code=layer.code), data["category"]
        node_data = NodeData(code, data["numericCode"], data["name"], data.get("description", ""))
        node = create_node(parent, node_data, by=request.user, now=timezone.now())
        return success(_node_data(node) | {"created": True, "version": current_taxonomy().version}, status=201)


class NodeView(AdminView):
    """`{id}` is `category-5` or `subcategory-17`, as in the response of POST."""

    def put(self, request: Request, node_id: str) -> Response:
        node = _find_node(node_id)
        serializer = NodeChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        update_node(
            node,
            NodeData(
                data.get("code", node.code),
                data.get("numericCode", node.number),
                data.get("name", node.name),
                data.get("description", getattr(node, "description", "")),
            ),
            by=request.user,
            now=timezone.now(),
        )
        node.refresh_from_db()
        return success(_node_data(node) | {"version": current_taxonomy().version})

    def delete(self, request: Request, node_id: str) -> Response:
        node = _find_node(node_id)
        data = _node_data(node)
        delete_node(node, by=request.user, now=timezone.now())
        return success(data | {"deleted": True, "version": current_taxonomy().version})


def _find_node(node_id: str) -> Category | Subcategory:
    kind, _, key = node_id.partition("-")
    model: Any = {"category": Category, "subcategory": Subcategory}.get(kind)
    path = "layer" if kind == "category" else "category__layer"
    is_key = key.isascii() and key.isdigit() and len(key) < 18
    node = model.objects.select_related(path).filter(pk=int(key)).first() if model and is_key else None
    if node is None:
        raise NodeNotFound(f"Node not found: {node_id[:60]}")
    return node


def _node_data(node: TaxonomyNode) -> dict[str, Any]:
    kind = type(node).__name__.lower()
    data: dict[str, Any] = {
        "id": f"{kind}-{node.pk}",
        "code": node.code,
        "name": node.name,
        "numericCode": f"{node.number:03d}",
    }
    if isinstance(node, Subcategory):
        return data | {
            "layer": node.category.layer.code,
            "category": node.category.code,
            "subcategory": node.code,
            "description": node.description,
        }
    return data | ({"layer": node.layer.code, "category": node.code} if isinstance(node, Category) else {})


class ImportView(AdminView):
    """The body is the whole document; `?dryRun=true` reports the changes without making them."""

    def post(self, request: Request) -> Response:
        if not isinstance(request.data, dict):
            raise ValidationError("body must be a JSON object")
        is_dry_run = request.query_params.get("dryRun") == "true"
        result = import_document(request.data, by=request.user, now=timezone.now(), dry_run=is_dry_run)
        counts = {kind: result.count(kind) for kind in ("added", "modified", "removed")}
        return success({"version": result.version, "changed": result.is_changed, "dryRun": is_dry_run, **counts})


class ExportView(AdminView):
    def get(self, request: Request) -> HttpResponse:
        response = HttpResponse(export_document(), content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="taxonomy-{current_taxonomy().version}.json"'
        return response


class ValidateView(AdminView):
    def get(self, request: Request) -> Response:
        errors = find_errors()
        return Response(
            {
                "isValid": not errors,
                "errors": errors,
                "warnings": find_warnings(),
                "totalNodes": count_nodes(current_taxonomy()),
                "validationDate": format_timestamp(timezone.now()),
            }
        )


class InvalidateView(AdminView):
    """Drop the snapshot of this process. Edits need no call, because the cache follows the version."""

    def post(self, request: Request) -> Response:
        serializer = InvalidateSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        clear_taxonomy_cache()
        log.info("taxonomy snapshot dropped", extra={"by": request.user.public_id, **serializer.validated_data})
        scope = serializer.validated_data["scope"]
        return success({"scope": scope, "invalidated": True, "version": current_taxonomy().version})
