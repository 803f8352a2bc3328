"""Settings of the admin theme (django-unfold). All static files are local, so no other host is needed."""

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.text import format_lazy


def _item(title: str, icon: str, url_name: str) -> dict[str, object]:
    name = url_name.removeprefix("admin:")
    pages_of_model = name.removesuffix("changelist")  # "assets_asset_", or the full name of a page of its own

    def is_active(request: HttpRequest) -> bool:
        """Return True on the page, and on all pages of a model; the theme's rule marks two items on some pages."""
        match = request.resolver_match
        return match is not None and bool(match.url_name) and match.url_name.startswith(pages_of_model)

    return {"title": title, "icon": icon, "link": reverse_lazy(url_name), "active": is_active}


_QUEUES = "bugreports.admin.queues"
_REPORTS = "admin:bugreports_bugreport_changelist"


def _queue(title: str, icon: str, name: str) -> dict[str, object]:
    """Return the item of a bug report queue, with the number of its reports as badge."""
    return _item(title, icon, _REPORTS) | {
        "link": format_lazy("{}?queue={}", reverse_lazy(_REPORTS), name),
        "badge": f"{_QUEUES}.{name}_badge",
        "badge_variant": "info",
        "active": f"{_QUEUES}.{name}_active",
        "permission": f"{_QUEUES}.may_see",
    }


UNFOLD = {
    "SITE_TITLE": "NNA Asset Registry",
    "SITE_HEADER": "NNA Asset Registry",
    "SITE_SYMBOL": "inventory_2",
    "STYLES": [lambda request: static("common/lists.css")],
    "LOGIN": {"form": "accounts.forms.ThrottledLoginForm"},
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Registry",
                "items": [
                    _item("Assets", "perm_media", "admin:assets_asset_changelist"),
                    _item("Sequence counters", "pin", "admin:assets_sequencecounter_changelist"),
                ],
            },
            {
                "title": "Album art",
                "items": [
                    _item("Artwork", "image", "admin:albumart_artwork_changelist"),
                    _item("Missing artwork", "image_search", "admin:albumart_missing_artwork"),
                    _item("Sources", "dns", "admin:albumart_artworksource_changelist"),
                    _item("Metrics", "monitoring", "admin:albumart_metrics"),
                ],
            },
            {
                "title": "Bug reports",
                "items": [
                    _item("All reports", "bug_report", _REPORTS) | {"active": f"{_QUEUES}.all_active"},
                    _queue("Untriaged", "inbox", "untriaged"),
                    _queue("Mine", "assignment_ind", "mine"),
                    _queue("Regressions", "replay", "regressions"),
                    _queue("Expiring soon", "timer", "expiring"),
                    _queue("Expired, still open", "history_toggle_off", "expired"),
                    _item("Purge log", "auto_delete", "admin:bugreports_purgerun_changelist"),
                ],
            },
            {
                "title": "Taxonomy",
                "items": [
                    _item("Tree", "account_tree", "admin:taxonomy_tree"),
                    _item("Layers", "layers", "admin:taxonomy_layer_changelist"),
                    _item("Categories", "category", "admin:taxonomy_category_changelist"),
                    _item("Subcategories", "label", "admin:taxonomy_subcategory_changelist"),
                    _item("Versions", "history", "admin:taxonomy_taxonomyversion_changelist"),
                ],
            },
            {
                "title": "Rollout",
                "items": [
                    _item("Staged rollout", "stairs", "admin:flags_rollout"),
                    _item("Flags", "toggle_on", "admin:flags_fieldflag_changelist"),
                    _item("Flag changes", "fact_check", "admin:flags_flagchange_changelist"),
                ],
            },
            {
                "title": "Backfills",
                "items": [
                    _item("Runs", "history_toggle_off", "admin:backfills_backfillrun_changelist"),
                    _item("Failed rows", "report", "admin:backfills_backfillrowerror_changelist"),
                    _item("Changes", "receipt_long", "admin:backfills_backfillchange_changelist"),
                ],
            },
            {
                "title": "Users and access",
                "items": [
                    _item("Users", "person", "admin:accounts_user_changelist"),
                    _item("Groups", "group", "admin:auth_group_changelist"),
                    _item("Service keys", "key", "admin:accounts_servicekey_changelist"),
                ],
            },
        ],
    },
}
