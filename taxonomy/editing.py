"""Single edits of the taxonomy by staff. Each makes a new version."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import User
from common.errors import Invalid
from common.plain_text import check_text
from taxonomy.addresses import shorten
from taxonomy.document import CODE
from taxonomy.errors import NodeInUse
from taxonomy.models import Category, Layer, Subcategory, TaxonomyVersion
from taxonomy.sync import SyncResult, record_change, used_paths

TaxonomyNode = Layer | Category | Subcategory


@dataclass(frozen=True)
class NodeWish:
    """What a node shall be. Only a subcategory keeps its description."""

    code: str
    number: int
    name: str
    description: str = ""


def add_node(parent: Layer | Category, wish: NodeWish, *, by: User, now: datetime) -> TaxonomyNode:
    """A new category under a layer or subcategory under a category. Raises Invalid naming the field."""
    wish = _check(wish, parent=parent, node=None)
    made: list[TaxonomyNode] = []

    def apply(_: Any) -> None:
        if isinstance(parent, Layer):
            made.append(Category.objects.create(layer=parent, code=wish.code, number=wish.number, name=wish.name))
        else:
            made.append(
                Subcategory.objects.create(
                    category=parent, code=wish.code, number=wish.number, name=wish.name, description=wish.description
                )
            )

    record_change(apply, by=by, now=now, origin=TaxonomyVersion.Origin.EDIT)
    return made[0]


def change_node(node: TaxonomyNode, wish: NodeWish, *, by: User, now: datetime) -> SyncResult:
    """Raises NodeInUse when assets repeat what would change (code, number, name)."""
    wish = _check(wish, parent=parent_of(node), node=node)
    stored = type(node).objects.get(pk=node.pk)
    if not isinstance(node, Layer) and (stored.code, stored.number, stored.name) != (wish.code, wish.number, wish.name):
        _refuse_in_use(stored, "stay as they are: code, number and name")

    def apply(_: Any) -> None:
        stored.name = wish.name
        if not isinstance(stored, Layer):
            stored.code, stored.number = wish.code, wish.number
        if isinstance(stored, Subcategory):
            stored.description = wish.description
        stored.save()

    return record_change(apply, by=by, now=now, origin=TaxonomyVersion.Origin.EDIT)


def remove_node(node: Category | Subcategory, *, by: User, now: datetime) -> SyncResult:
    """Raises NodeInUse when assets stand under it, and Invalid for a category that still has subcategories."""
    _refuse_in_use(node, "cannot be removed")
    if isinstance(node, Category) and node.subcategories.exists():
        raise Invalid(f"{node} still has subcategories", field="category")
    return record_change(lambda _: node.delete(), by=by, now=now, origin=TaxonomyVersion.Origin.EDIT)  # type: ignore[arg-type,return-value]


def parent_of(node: TaxonomyNode) -> Layer | Category | None:
    if isinstance(node, Layer):
        return None
    return node.layer if isinstance(node, Category) else node.category


def path_of(node: Category | Subcategory) -> tuple[str, str, str]:
    if isinstance(node, Category):
        return node.layer.code, node.code, ""
    return node.category.layer.code, node.category.code, node.code


def _refuse_in_use(node: Category | Subcategory, consequence: str) -> None:
    path = path_of(node)
    count = sum(
        number for used, number in used_paths().items() if used[: 3 if path[2] else 2] == path[: 3 if path[2] else 2]
    )
    if count:
        raise NodeInUse(f"{'.'.join(filter(None, path))} is used by {count} assets and {consequence}", field="code")


def _check(wish: NodeWish, *, parent: Layer | Category | None, node: TaxonomyNode | None) -> NodeWish:
    name = check_text(wish.name, field="name", max_length=100, is_single_line=True).strip()
    if not name:
        raise Invalid("name is empty", field="name")
    description = check_text(wish.description, field="description", max_length=500)
    code = wish.code.strip().upper()
    if parent is not None:
        if not CODE.fullmatch(code):
            raise Invalid(f"code must be three letters or digits, not {shorten(wish.code)}", field="code")
        if not 1 <= wish.number <= 999:
            raise Invalid("numericCode must be 001 to 999", field="numericCode")
        siblings = parent.categories.all() if isinstance(parent, Layer) else parent.subcategories.all()
        for sibling in siblings.exclude(pk=node.pk if node else None):
            if sibling.code == code:
                raise Invalid(f"code {code} is taken by {sibling}", field="code")
            if sibling.number == wish.number:
                raise Invalid(f"numericCode {wish.number:03d} is taken by {sibling}", field="numericCode")
            if sibling.name.casefold() == name.casefold() or name.upper() == sibling.code:
                raise Invalid(f"name {shorten(name)} is taken by {sibling}", field="name")
    return NodeWish(code, wish.number, name, description)
