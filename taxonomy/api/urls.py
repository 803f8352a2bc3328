from django.urls import path

from taxonomy.api import admin_views, representations, views


def _layer_count(taxonomy):
    return {"count": len(taxonomy.layers), "layers": [layer.code for layer in taxonomy.layers]}


def _category_count(layer):
    return {"layer": layer.code, "count": len(layer.categories)}


def _subcategory_count(layer, category):
    return {"layer": layer.code, "category": category.code, "count": len(category.nodes)}


whole = views.TaxonomyReadView.as_view
of_layer = views.LayerReadView.as_view
of_category = views.CategoryReadView.as_view

urlpatterns = [
    path("health", views.HealthView.as_view()),
    path("version", whole(body=representations.version_body)),
    path("index", whole(body=representations.index_body)),
    path("tree", whole(body=representations.tree_body)),
    path("layers", whole(body=representations.layers_body)),
    path("layer-count", whole(body=_layer_count)),
    path("layers/<str:layer>/categories", of_layer(body=representations.categories_body)),
    path("layers/<str:layer>/category-count", of_layer(body=_category_count)),
    path("layers/<str:layer>/subcategory-counts", of_layer(body=representations.subcategory_counts_body)),
    path(
        "layers/<str:layer>/categories/<str:category>/subcategories",
        of_category(body=representations.subcategories_body),
    ),
    path("layers/<str:layer>/categories/<str:category>/subcategory-count", of_category(body=_subcategory_count)),
    # The same URLs under the names of an early draft, because one client still uses them.
    path("lookup/<str:layer>", of_layer(body=representations.categories_body)),
    path("lookup/<str:layer>/categories", of_layer(body=representations.categories_body)),
    path(
        "lookup/<str:layer>/categories/<str:category>/subcategories",
        of_category(body=representations.subcategories_body),
    ),
    path("convert/hfn-to-mfa", views.ConvertView.as_view()),
    path("convert/mfa-to-hfn", views.ConvertView.as_view(source="mfa", target="hfn")),
    path("sync", whole(body=representations.sync_body)),
    path("sync/incremental", views.ChangesView.as_view()),
    path("sync/status", views.SyncStatusView.as_view()),
    path("validate", admin_views.ValidateView.as_view()),
    path("nodes", admin_views.NodesView.as_view()),
    path("nodes/<str:node_id>", admin_views.NodeView.as_view()),
    path("import", admin_views.ImportView.as_view()),
    path("export", admin_views.ExportView.as_view()),
    path("cache/invalidate", admin_views.InvalidateView.as_view()),
]
