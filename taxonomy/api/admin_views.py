"""`/api/taxonomy/...` for admins: single nodes, whole documents, checks. Success and errors come in envelopes."""

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
from taxonomy.snapshot import clear_taxonomy_cache, current_taxonomy
from taxonomy.sync import export_document, import_document

log = logging.getLogger(__name__)


class AdminView(APIView):
    permission_classes = (IsAdminRole,)


class NodesView(AdminView):
    def post(self, request: Request) -> Response:
        wish = NodeSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        data = wish.validated_data
        parent: Layer | Category
        layer = current_taxonomy().resolve_layer(data["layer"])
        if data.get("subcategory"):
            entry = layer.find(data["category"])
            row = entry and Category.objects.select_related("layer").filter(pk=entry.pk).first()
            if row is None:
                raise InvalidTaxonomyPath(
                    f"Invalid category: {data['category']} for layer: {layer.code}", field="category"
                )
            parent, code = row, data["subcategory"]
        else:
            parent, code = Layer.objects.get(code=layer.code), data["category"]
        node_wish = NodeData(code, data["numericCode"], data["name"], data.get("description", ""))
        node = create_node(parent, node_wish, by=request.user, now=timezone.now())
        return success(_node_data(node) | {"created": True, "version": current_taxonomy().version}, status=201)


class NodeView(AdminView):
    """`{id}` is `category-5` or `subcategory-17`, as POST answered it."""

    def put(self, request: Request, node_id: str) -> Response:
        node = _find_node(node_id)
        wish = NodeChangeSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        data = wish.validated_data
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
    """The whole document as the body; `?dryRun=true` only says what would change."""

    def post(self, request: Request) -> Response:
        if not isinstance(request.data, dict):
            raise ValidationError("body must be a JSON object")
        is_dry_run = request.query_params.get("dryRun") == "true"
        result = import_document(request.data, by=request.user, now=timezone.now(), dry_run=is_dry_run)
        counts = {kind: result.count(kind) for kind in ("added", "modified", "removed")}
        return success({"version": result.version, "changed": result.is_changed, "dryRun": is_dry_run, **counts})


class ExportView(AdminView):
    def get(self, request: Request) -> HttpResponse:
        answer = HttpResponse(export_document(), content_type="application/json")
        answer["Content-Disposition"] = f'attachment; filename="taxonomy-{current_taxonomy().version}.json"'
        return answer


class ValidateView(AdminView):
    def get(self, request: Request) -> Response:
        problems = find_errors()
        return Response(
            {
                "isValid": not problems,
                "errors": problems,
                "warnings": find_warnings(),
                "totalNodes": count_nodes(current_taxonomy()),
                "validationDate": format_timestamp(timezone.now()),
            }
        )


class InvalidateView(AdminView):
    """Snapshots follow the version by themselves; this makes the process read the tables again all the same."""

    def post(self, request: Request) -> Response:
        wish = InvalidateSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        clear_taxonomy_cache()
        log.info("taxonomy snapshot dropped", extra={"by": request.user.public_id, **wish.validated_data})
        scope = wish.validated_data["scope"]
        return success({"scope": scope, "invalidated": True, "version": current_taxonomy().version})
