from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Users and access"

    def ready(self) -> None:
        from accounts.metrics import user_metrics
        from common.metrics import register_metrics

        register_metrics("users", user_metrics)
