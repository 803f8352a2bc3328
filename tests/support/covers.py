from tests.support.sample_images import make_cover

__all__ = ["make_cover"]
