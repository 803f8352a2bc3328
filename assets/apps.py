from django.apps import AppConfig


class AssetsConfig(AppConfig):
    name = "assets"
    verbose_name = "Registry"

    def ready(self) -> None:
        from assets import node_usage
        from taxonomy.usage import register_live_usage, register_usage

        register_usage(node_usage.assets_by_node)
        register_usage(node_usage.numbers_on_their_way)
        register_live_usage(node_usage.live_assets_by_node)
