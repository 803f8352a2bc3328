"""Edits of single nodes by staff. Each edit makes a new taxonomy version."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import User
from common.errors import Conflict, InvalidInput
from common.text_validation import clean_text
from taxonomy.addresses import shorten
from taxonomy.errors import DuplicateNode, NodeInUse, NodeNotFound
from taxonomy.models import Category, Layer, Subcategory, TaxonomyVersion
from taxonomy.normalization import (
    CODE_RULE,
    MAX_DESCRIPTION_LENGTH,
    MAX_NAME_LENGTH,
    NUMBER_RULE,
    is_code,
    is_number,
    normalize_name,
)
from taxonomy.sync import ImportResult, apply_change, format_asset_count, used_paths

TaxonomyNode = Layer | Category | Subcategory


@dataclass(frozen=True)
class NodeData:
    """The values of a node after an edit. Only subcategories have a description."""

    code: str
    number: int
    name: str
    description: str = ""


def create_node(parent: Layer | Category, data: NodeData, *, by: User, now: datetime) -> TaxonomyNode:
    """Create a category in a layer, or a subcategory in a category.

    Raises InvalidInput with the field, DuplicateNode if a sibling has the code, number or name.
    """
    data = _clean_node_data(data, is_layer=False)
    created: list[TaxonomyNode] = []

    def apply(_: Any) -> None:
        _reject_duplicates(data, parent, node=None)
        if isinstance(parent, Layer):
            created.append(Category.objects.create(layer=parent, code=data.code, number=data.number, name=data.name))
        else:
            created.append(
                Subcategory.objects.create(
                    category=parent, code=data.code, number=data.number, name=data.name, description=data.description
                )
            )

    apply_change(apply, by=by, now=now, origin=TaxonomyVersion.Origin.EDIT)
    return created[0]


def update_node(node: TaxonomyNode, data: NodeData, *, by: User, now: datetime) -> ImportResult:
    """Change a node; of a layer only the name.

    Raises NodeInUse if code, number or name would change while assets use the node, else as `create_node`.
    """
    data = _clean_node_data(data, is_layer=isinstance(node, Layer))

    def apply(_: Any) -> None:
        stored = _lock(node)
        if not isinstance(stored, Layer):
            _reject_duplicates(data, stored.layer if isinstance(stored, Category) else stored.category, node=stored)
            for field, is_changed in (
                ("code", stored.code != data.code),
                ("numericCode", stored.number != data.number),
                ("name", stored.name != data.name),
            ):
                if is_changed:
                    _reject_in_use(stored, "keeps its code, number and name", field=field)
        stored.name = data.name
        if not isinstance(stored, Layer):
            stored.code, stored.number = data.code, data.number
        if isinstance(stored, Subcategory):
            stored.description = data.description
        stored.save()

    return apply_change(apply, by=by, now=now, origin=TaxonomyVersion.Origin.EDIT)


def delete_node(node: Category | Subcategory, *, by: User, now: datetime) -> ImportResult:
    """Delete a node. Raises NodeInUse if assets use it, Conflict for a category that has subcategories."""

    def apply(_: Any) -> None:
        stored = _lock(node)
        _reject_in_use(stored, "cannot be removed")
        if isinstance(stored, Category) and stored.subcategories.exists():
            raise Conflict(f"{stored} still has subcategories", field="category")
        stored.delete()

    return apply_change(apply, by=by, now=now, origin=TaxonomyVersion.Origin.EDIT)


def path_of(node: Category | Subcategory) -> tuple[str, str, str]:
    if isinstance(node, Category):
        return node.layer.code, node.code, ""
    return node.category.layer.code, node.category.code, node.code


def _lock(node: TaxonomyNode) -> Any:
    """Return the current row, locked. Raises NodeNotFound if another user deleted it meanwhile."""
    row = type(node).objects.select_for_update(of=("self",)).filter(pk=node.pk).first()
    if row is None:
        raise NodeNotFound(f"{node} was removed meanwhile")
    return row


def _reject_in_use(node: Category | Subcategory, consequence: str, *, field: str | None = None) -> None:
    path = path_of(node)
    depth = 3 if path[2] else 2
    count = sum(number for used, number in used_paths().items() if used[:depth] == path[:depth])
    if count:
        message = f"{'.'.join(filter(None, path))} is used by {format_asset_count(count)} and {consequence}"
        raise NodeInUse(message, field=field)


def _clean_node_data(data: NodeData, *, is_layer: bool) -> NodeData:
    name = clean_text(data.name, field="name", max_length=MAX_NAME_LENGTH, is_single_line=True).strip()
    if not name or name.isdigit():
        raise InvalidInput("name is empty" if not name else "name must be more than a number", field="name")
    description = clean_text(
        data.description, field="description", max_length=MAX_DESCRIPTION_LENGTH, is_single_line=True
    ).strip()
    code = data.code.strip().upper()
    if not is_layer and not is_code(code):
        raise InvalidInput(f"code {CODE_RULE}, not {shorten(data.code)}", field="code")
    if not is_layer and not is_number(data.number):
        raise InvalidInput(f"numericCode {NUMBER_RULE}", field="numericCode")
    return NodeData(code, data.number, name, description)


def _reject_duplicates(data: NodeData, parent: Layer | Category, *, node: TaxonomyNode | None) -> None:
    siblings: Any = parent.categories if isinstance(parent, Layer) else parent.subcategories
    for sibling in siblings.exclude(pk=node.pk if node else None):
        label = f"{sibling.code} {sibling.name}"
        if sibling.code == data.code:
            raise DuplicateNode(f"code {data.code} is taken by {label}", field="code")
        if sibling.number == data.number:
            raise DuplicateNode(f"numericCode {data.number:03d} is taken by {label}", field="numericCode")
        if normalize_name(data.name) in (normalize_name(sibling.name), normalize_name(sibling.code)):
            raise DuplicateNode(f"name {shorten(data.name)} is taken by {label}", field="name")
        if normalize_name(sibling.name) == normalize_name(data.code):
            raise DuplicateNode(f"code {data.code} is the name of {label}", field="code")
