"""Admin of the taxonomy: a tree with asset counts, and the three levels. Every edit makes a new version."""

from collections import Counter
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.decorators import action, display

from common.model_admin import BaseModelAdmin, ReadOnlyModelAdmin
from taxonomy.editing import NodeData, create_node, delete_node, update_node
from taxonomy.models import Category, Layer, Subcategory, TaxonomyVersion
from taxonomy.snapshot_cache import current_taxonomy
from taxonomy.tree import build_tree
from taxonomy.usage import live_counts

MAX_SEARCH_LENGTH = 100
SHOWN_CHANGES = 500
LINKED_COUNT = '<a class="underline" href="{}?{}={}">{}</a>'


def assets_url() -> str:
    """Return the URL of the asset list, or "" if `assets`, an app above this one, is not installed."""
    try:
        return reverse("admin:assets_asset_changelist")
    except NoReverseMatch:
        return ""


class NodeAdmin(BaseModelAdmin):
    """Base of the three levels. Saves and deletes through `taxonomy.editing`, so that each edit makes a version."""

    actions = None
    actions_list = ("open_tree",)

    @action(description="Show as a tree", url_path="as-tree", icon="account_tree")
    def open_tree(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=302, headers={"Location": reverse("admin:taxonomy_tree")})

    @display(description="Number", ordering="number")
    def three_digits(self, node: Category | Subcategory) -> str:
        return f"{node.number:03d}"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        data = NodeData(obj.code, obj.number, obj.name, getattr(obj, "description", ""))
        if change:
            update_node(obj, data, by=request.user, now=timezone.now())
            return
        parent = obj.layer if isinstance(obj, Category) else obj.category
        node = create_node(parent, data, by=request.user, now=timezone.now())
        obj.pk = node.pk
        obj._state.adding = False

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_node(obj, by=request.user, now=timezone.now())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[str], dict[str, int], set[str], list]:
        # Django's own would load every asset below the node only to report that there are some.
        return [str(obj) for obj in objs], {}, set(), []


class CodeField(forms.CharField):
    """Converts to upper case before the validators of the model run."""

    def clean(self, value: Any) -> str:
        return super().clean(value).strip().upper()


class NodeForm(forms.ModelForm):
    class Meta:
        field_classes = {"code": CodeField}


@admin.register(Layer)
class LayerAdmin(NodeAdmin):
    """The ten layers are fixed; staff may only rename them."""

    list_display = ("code", "number", "name", "categories")
    ordering = ("number",)
    fields = ("code", "number", "name")
    readonly_fields = ("code", "number")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Layer]:
        return super().get_queryset(request).annotate(category_count=Count("categories"))

    @display(description="Categories", ordering="category_count")
    def categories(self, layer: Layer) -> str:
        url = reverse("admin:taxonomy_category_changelist")
        return format_html(LINKED_COUNT, url, "layer__id__exact", layer.pk, layer.category_count)  # type: ignore[attr-defined]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Layer | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        return [path("tree", self.admin_site.admin_view(self.tree_view), name="taxonomy_tree"), *super().get_urls()]

    def tree_view(self, request: HttpRequest) -> HttpResponse:
        """Show the tree with two queries besides those of every admin page, for any number of nodes and assets."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        taxonomy = current_taxonomy()
        search = request.GET.get("q", "")[:MAX_SEARCH_LENGTH]
        context = {
            **self.admin_site.each_context(request),
            "title": "Taxonomy",
            "opts": self.opts,
            "taxonomy": taxonomy,
            "layers": build_tree(taxonomy, live_counts(), search=search),
            "search": search,
            "is_open": bool(search.strip()) or request.GET.get("open") == "all",
            "assets_url": assets_url(),
            "can_add": request.user.has_perm("taxonomy.add_subcategory"),
        }
        return TemplateResponse(request, "admin/taxonomy/tree.html", context)


@admin.register(Category)
class CategoryAdmin(NodeAdmin):
    form = NodeForm
    list_display = ("code", "three_digits", "name", "layer", "subcategories")
    ordering = ("layer__number", "number")  # because the annotated count drops the ordering of the model
    list_display_links = ("code", "name")
    list_filter = ("layer",)
    search_fields = ("code", "name")
    fields = ("layer", "code", "number", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        # The autocomplete of subcategories uses it too and shows each category with its layer.
        return super().get_queryset(request).select_related("layer").annotate(subcategory_count=Count("subcategories"))

    def get_readonly_fields(self, request: HttpRequest, obj: Category | None = None) -> tuple[str, ...]:
        return ("layer",) if obj else ()

    @display(description="Subcategories", ordering="subcategory_count")
    def subcategories(self, category: Category) -> str:
        url = reverse("admin:taxonomy_subcategory_changelist")
        return format_html(LINKED_COUNT, url, "category__id__exact", category.pk, category.subcategory_count)  # type: ignore[attr-defined]


@admin.register(Subcategory)
class SubcategoryAdmin(NodeAdmin):
    form = NodeForm
    list_display = ("code", "three_digits", "name", "category", "assets")
    list_display_links = ("code", "name")
    list_filter = ("category__layer",)
    list_select_related = ("category__layer",)
    search_fields = ("code", "name", "category__code", "category__name")
    autocomplete_fields = ("category",)
    fields = ("category", "code", "number", "name", "description")

    def get_readonly_fields(self, request: HttpRequest, obj: Subcategory | None = None) -> tuple[str, ...]:
        return ("category", "assets") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Subcategory | None = None) -> tuple[str, ...]:
        return (*self.fields, "assets") if obj else self.fields

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        page = super().get_changelist_instance(request)
        counts = live_counts()  # once for the page, because a column method has no request
        for row in page.result_list:
            row.asset_count = counts[row.pk]
        return page

    @display(description="Assets")
    def assets(self, node: Any) -> str:
        count = node.asset_count if hasattr(node, "asset_count") else live_counts()[node.pk]
        url = assets_url()
        return format_html(LINKED_COUNT, url, "taxonomy_node__id__exact", node.pk, count) if url else str(count)


@admin.register(TaxonomyVersion)
class TaxonomyVersionAdmin(ReadOnlyModelAdmin):
    list_display = ("label", "summary", "origin", "created_by", "created_at")
    list_filter = ("origin",)
    list_select_related = ("created_by",)
    fields = readonly_fields = ("label", "summary", "origin", "created_by", "created_at", "digest", "all_changes")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaxonomyVersion]:
        return super().get_queryset(request).defer("document")

    @display(description="Nodes changed")
    def summary(self, version: TaxonomyVersion) -> str:
        kinds = Counter(change["type"] for change in version.changes)
        return ", ".join(f"{kinds[kind]} {kind}" for kind in ("added", "modified", "removed") if kinds[kind]) or "none"

    @display(description="Changes")
    def all_changes(self, version: TaxonomyVersion) -> str:
        lines = [(change["type"], ".".join(filter(None, _path(change)))) for change in version.changes[:SHOWN_CHANGES]]
        if len(version.changes) > SHOWN_CHANGES:
            lines.append(("and", f"{len(version.changes) - SHOWN_CHANGES} more"))
        return format_html_join("", "<div>{} <strong>{}</strong></div>", lines) or "none"


def _path(change: dict[str, str]) -> tuple[str, str, str]:
    return change["layer"], change["category"], change["subcategory"]
