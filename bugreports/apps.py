from django.apps import AppConfig


class BugreportsConfig(AppConfig):
    name = "bugreports"
    verbose_name = "Bug reports"
