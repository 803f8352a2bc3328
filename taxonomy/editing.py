"""Single edits of the taxonomy by staff. Each makes a new version."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import User
from common.errors import Conflict, InvalidInput
from common.text_validation import clean_text
from taxonomy.addresses import shorten
from taxonomy.document import is_code, normalize_name
from taxonomy.errors import DuplicateNode, NodeInUse, NodeNotFound
from taxonomy.models import Category, Layer, Subcategory, TaxonomyVersion
from taxonomy.sync import ImportResult, apply_change, count_in_words, used_paths

TaxonomyNode = Layer | Category | Subcategory


@dataclass(frozen=True)
class NodeData:
    """What a node shall be. Only a subcategory keeps its description."""

    code: str
    number: int
    name: str
    description: str = ""


def create_node(parent: Layer | Category, wish: NodeData, *, by: User, now: datetime) -> TaxonomyNode:
    """A new category under a layer or subcategory under a category.

    Raises Invalid naming the field, DuplicateNode when a sibling has the code, number or name.
    """
    wish = _check_shape(wish, is_layer=False)
    made: list[TaxonomyNode] = []

    def apply(_: Any) -> None:
        _refuse_taken(wish, parent, node=None)
        if isinstance(parent, Layer):
            made.append(Category.objects.create(layer=parent, code=wish.code, number=wish.number, name=wish.name))
        else:
            made.append(
                Subcategory.objects.create(
                    category=parent, code=wish.code, number=wish.number, name=wish.name, description=wish.description
                )
            )

    apply_change(apply, by=by, now=now, origin=TaxonomyVersion.Origin.EDIT)
    return made[0]


def update_node(node: TaxonomyNode, wish: NodeData, *, by: User, now: datetime) -> ImportResult:
    """Raises NodeInUse when assets repeat what would change (code, number, name), DuplicateNode as for `create_node`.

    Of a layer only the name can change.
    """
    wish = _check_shape(wish, is_layer=isinstance(node, Layer))

    def apply(_: Any) -> None:
        stored = _stored(node)
        if not isinstance(stored, Layer):
            _refuse_taken(wish, stored.layer if isinstance(stored, Category) else stored.category, node=stored)
            for field, is_changed in (
                ("code", stored.code != wish.code),
                ("numericCode", stored.number != wish.number),
                ("name", stored.name != wish.name),
            ):
                if is_changed:
                    _refuse_in_use(stored, "keeps its code, number and name", field=field)
        stored.name = wish.name
        if not isinstance(stored, Layer):
            stored.code, stored.number = wish.code, wish.number
        if isinstance(stored, Subcategory):
            stored.description = wish.description
        stored.save()

    return apply_change(apply, by=by, now=now, origin=TaxonomyVersion.Origin.EDIT)


def delete_node(node: Category | Subcategory, *, by: User, now: datetime) -> ImportResult:
    """Raises NodeInUse when assets stand under it, and Conflict for a category that still has subcategories."""

    def apply(_: Any) -> None:
        stored = _stored(node)
        _refuse_in_use(stored, "cannot be removed")
        if isinstance(stored, Category) and stored.subcategories.exists():
            raise Conflict(f"{stored} still has subcategories", field="category")
        stored.delete()

    return apply_change(apply, by=by, now=now, origin=TaxonomyVersion.Origin.EDIT)


def path_of(node: Category | Subcategory) -> tuple[str, str, str]:
    if isinstance(node, Category):
        return node.layer.code, node.code, ""
    return node.category.layer.code, node.category.code, node.code


def _stored(node: TaxonomyNode) -> Any:
    """The row as it is now, locked. Raises NodeNotFound when somebody removed it meanwhile."""
    row = type(node).objects.select_for_update(of=("self",)).filter(pk=node.pk).first()
    if row is None:
        raise NodeNotFound(f"{node} was removed meanwhile")
    return row


def _refuse_in_use(node: Category | Subcategory, consequence: str, *, field: str | None = None) -> None:
    path = path_of(node)
    count = sum(
        number for used, number in used_paths().items() if used[: 3 if path[2] else 2] == path[: 3 if path[2] else 2]
    )
    if count:
        words = f"{'.'.join(filter(None, path))} is used by {count_in_words(count)} and {consequence}"
        raise NodeInUse(words, field=field)


def _check_shape(wish: NodeData, *, is_layer: bool) -> NodeData:
    name = clean_text(wish.name, field="name", max_length=100, is_single_line=True).strip()
    if not name or name.isdigit():
        raise InvalidInput("name is empty" if not name else "name must be more than a number", field="name")
    description = clean_text(wish.description, field="description", max_length=500, is_single_line=True).strip()
    code = wish.code.strip().upper()
    if not is_layer and not is_code(code):
        message = f"code must be three letters or digits, one of them a letter, not {shorten(wish.code)}"
        raise InvalidInput(message, field="code")
    if not is_layer and not 1 <= wish.number <= 999:
        raise InvalidInput("numericCode must be 001 to 999", field="numericCode")
    return NodeData(code, wish.number, name, description)


def _refuse_taken(wish: NodeData, parent: Layer | Category, *, node: TaxonomyNode | None) -> None:
    siblings: Any = parent.categories if isinstance(parent, Layer) else parent.subcategories
    for sibling in siblings.exclude(pk=node.pk if node else None):
        label = f"{sibling.code} {sibling.name}"
        if sibling.code == wish.code:
            raise DuplicateNode(f"code {wish.code} is taken by {label}", field="code")
        if sibling.number == wish.number:
            raise DuplicateNode(f"numericCode {wish.number:03d} is taken by {label}", field="numericCode")
        if normalize_name(wish.name) in (normalize_name(sibling.name), normalize_name(sibling.code)):
            raise DuplicateNode(f"name {shorten(wish.name)} is taken by {label}", field="name")
        if normalize_name(sibling.name) == normalize_name(wish.code):
            raise DuplicateNode(f"code {wish.code} is the name of {label}", field="code")
