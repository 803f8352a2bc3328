"""Placeholder of the plugin that starts throw-away servers; replaced with the embedded servers."""
