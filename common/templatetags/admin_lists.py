"""The rows of a list. The theme repeats about 500 characters of CSS classes in each cell; here a cell has one class."""

from typing import Any

from django import template
from django.contrib.admin.views.main import ChangeList
from django.utils.safestring import SafeString, mark_safe
from unfold.templatetags.unfold_list import CHECKBOX_CLASSES as CHECKBOX_CELL_CLASSES
from unfold.templatetags.unfold_list import LINK_CLASSES, ROW_CLASSES, result_list
from unfold.widgets import CHECKBOX_CLASSES

register = template.Library()

_LABEL_CLASSES = "inline-block font-semibold rounded-default text-[11px] uppercase whitespace-nowrap h-6 leading-6 px-2"
# `common/lists.css` has the same rules for the short names.
_SHORT_CLASSES = {
    " ".join(ROW_CLASSES): "list-cell",
    " ".join(CHECKBOX_CELL_CLASSES): "action-checkbox list-cell",
    " ".join(CHECKBOX_CLASSES).replace("'", "&#x27;"): "list-checkbox",
    " ".join(LINK_CLASSES): "list-link",
    _LABEL_CLASSES: "list-label",
}


@register.inclusion_tag("admin/common/change_list_results.html", takes_context=True)
def compact_result_list(context: dict[str, Any], cl: ChangeList) -> dict[str, Any]:
    results = result_list(context, cl)
    rows = [(row.instance, [_compact(cell) for cell in row]) for row in results["results"]]
    return results | {"rows": rows, "request": context["request"]}


def _compact(cell: str) -> SafeString:
    """Collapse the white space of the theme's templates, and shorten the classes."""
    cell = " ".join(cell.split())
    for classes, name in _SHORT_CLASSES.items():
        cell = cell.replace(classes, name)
    return mark_safe(cell)  # noqa: S308 - the same escaped text
