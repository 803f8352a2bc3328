"""Who is calling: a person's token or a service's key."""

from rest_framework.authentication import BaseAuthentication


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request):
        return None


class ServiceKeyAuthentication(BaseAuthentication):
    def authenticate(self, request):
        return None
