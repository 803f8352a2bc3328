from django.apps import AppConfig


class BugreportsConfig(AppConfig):
    name = "bugreports"
    verbose_name = "Bug reports"

    def ready(self) -> None:
        from bugreports.metrics import report_metrics
        from bugreports.notifications import DIGEST, WEBHOOK, deliver_digest, deliver_webhook
        from common.metrics import register_metrics
        from notifications.kinds import register_kind

        register_kind(WEBHOOK, deliver_webhook)
        register_kind(DIGEST, deliver_digest)
        register_metrics("bug-reports", report_metrics)
