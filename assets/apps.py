from django.apps import AppConfig


class AssetsConfig(AppConfig):
    name = "assets"
    verbose_name = "Registry"

    def ready(self) -> None:
        from assets import usage_counters
        from assets.backfill_rules import AI_METADATA_RULE, CREATOR_DESCRIPTION_RULE
        from assets.metrics import asset_metrics, field_metrics
        from assets.rollout_guards import (
            MAX_PERCENT_BEFORE_BACKFILL,
            ai_metadata_backfill_pending,
            creator_description_backfill_pending,
        )
        from backfills.rules import register_rule
        from common.metrics import register_metrics
        from flags.guards import register_guard
        from flags.registry import AI_METADATA, CREATOR_DESCRIPTION
        from taxonomy.usage import register_live_usage_counter, register_usage_counter

        register_rule(CREATOR_DESCRIPTION_RULE)
        register_rule(AI_METADATA_RULE)
        register_guard(CREATOR_DESCRIPTION, MAX_PERCENT_BEFORE_BACKFILL, creator_description_backfill_pending)
        register_guard(AI_METADATA, MAX_PERCENT_BEFORE_BACKFILL, ai_metadata_backfill_pending)
        register_usage_counter(usage_counters.assets_by_node)
        register_usage_counter(usage_counters.pending_reservations_by_node)
        register_live_usage_counter(usage_counters.live_assets_by_node)
        register_metrics("assets", asset_metrics)
        register_metrics("fields", field_metrics)
