"""`/api/auth/...`: register, login, profile, make-admin."""

from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.serializers import (
    LoginSerializer,
    MakeAdminSerializer,
    RegisterSerializer,
    profile_data,
    user_data,
)
from accounts.authentication import TokenAuthentication
from accounts.errors import InvalidCredentials
from accounts.models import User
from accounts.registration import authenticate_user, grant_admin_role, register_user
from accounts.tokens import issue_token
from api.envelopes import success
from api.permissions import IsAdminRole, IsUser
from api.throttling import IpAndEmailRateThrottle, IpRateThrottle


class RegisterView(APIView):
    """Creates an editor and returns a token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (IpRateThrottle,)
    throttle_scope = "register"

    def post(self, request: Request) -> Response:
        serializer = RegisterSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = register_user(**serializer.validated_data)
        return success({"token": issue_token(user, timezone.now()), "user": user_data(user)}, status=201)


class LoginView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (IpAndEmailRateThrottle,)
    throttle_scope = "login"

    def get_authenticate_header(self, request: Request) -> str:
        return TokenAuthentication().authenticate_header(request)

    def post(self, request: Request) -> Response:
        serializer = LoginSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        now = timezone.now()
        try:
            user = authenticate_user(**serializer.validated_data, now=now)
        except InvalidCredentials as error:
            raise AuthenticationFailed(error.message) from error
        return success({"token": issue_token(user, now), "user": user_data(user)}, status=201)


class ProfileView(APIView):
    permission_classes = (IsUser,)

    def get(self, request: Request) -> Response:
        user = User.objects.filter(pk=request.user.pk).first()
        if user is None:  # deleted since the user was cached
            raise AuthenticationFailed("Unauthorized")
        return success(profile_data(user))


class MakeAdminView(APIView):
    permission_classes = (IsAdminRole,)

    def post(self, request: Request) -> Response:
        serializer = MakeAdminSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = grant_admin_role(email=serializer.validated_data["email"], by=request.user)
        return success(user_data(user), status=201)
