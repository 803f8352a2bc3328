from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "ops"
    verbose_name = "Operations"

    def ready(self) -> None:
        from common.health_checks import register_health_check
        from ops.health_checks import check_cache, check_database

        register_health_check("database", check_database)
        register_health_check("cache", check_cache)
