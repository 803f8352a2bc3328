"""The legacy endpoints below `/api/assets`."""

from collections import Counter
from typing import Any

from django.conf import settings
from django.http import HttpResponse, QueryDict
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.envelopes import success, success_from_json
from api.parsers import JsonParser
from api.permissions import IsAdminRole, IsUser, IsUserOrServiceReadOnly
from api.read_responses import read_response
from assets.api.asset_json import asset_json, join_json, metadata_json
from assets.api.legacy_forms import flatten_form, read_list
from assets.api.listing import count_assets
from assets.api.parsers import MultiPartParser
from assets.api.responses import asset_response, fetch_referenced_rows, fetch_rows, get_json_response, list_response
from assets.api.serializers import (
    BatchAddressesSerializer,
    CsvRowSerializer,
    EditAssetSerializer,
    RegisterAssetSerializer,
    ReserveSerializer,
)
from assets.editing import curate_assets, delete_assets, edit_asset
from assets.errors import AssetNotFound
from assets.lookup import get_asset, get_asset_pk
from assets.models import SequenceReservation
from assets.registration import RegistrationData, register_asset, register_assets
from assets.sequences import reserve_numbers
from common.errors import InvalidInput
from common.text_validation import clean_text
from common.timestamps import format_timestamp
from taxonomy.snapshot_cache import current_taxonomy


class AssetListView(APIView):
    """List, search and register assets."""

    permission_classes = (IsUserOrServiceReadOnly,)
    parser_classes = (MultiPartParser, JsonParser)

    def get(self, request: Request) -> HttpResponse:
        return list_response(request, request.query_params)

    def post(self, request: Request) -> HttpResponse:
        files = request.FILES.getlist("file")
        if len(files) != 1:
            raise InvalidInput("file is required: one file, as a part of multipart/form-data", field="file")
        serializer = RegisterAssetSerializer(data=flatten_form(_without_files(request)))
        serializer.is_valid(raise_exception=True)
        asset = register_asset(
            RegistrationData(file=files[0], **serializer.validated_data),
            by=request.user, taxonomy=current_taxonomy(), now=timezone.now(),
        )  # fmt: skip
        return asset_response(request, asset.pk, status=201)


def _without_files(request: Request) -> Any:
    """Return the form fields only: REST framework merges files into `request.data`."""
    return request._request.POST if isinstance(request.data, QueryDict) else request.data


class AssetSearchView(APIView):
    """The search under the path of the recommendation service. POST takes the parameters as a JSON object."""

    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> HttpResponse:
        return list_response(request, request.query_params)

    def post(self, request: Request) -> HttpResponse:
        if not isinstance(request.data, dict):
            raise ValidationError("body must be a JSON object")
        params = QueryDict(mutable=True)
        for name, value in request.data.items():
            for item in value if isinstance(value, list) else [value]:
                if item is not None:
                    params.appendlist(str(name), str(item).lower() if isinstance(item, bool) else str(item))
        return list_response(request, params)


class AssetJsonParser(JsonParser):
    """Allows larger bodies, because `albumArt` may be a data URI: 2 MiB of image bytes are 2.8 MB in base64."""

    max_bytes_setting = "ASSETS_MAX_JSON_BYTES"


class AssetDetailView(APIView):
    """One asset, by HFN, MFA in either notation, or id."""

    permission_classes = (IsUserOrServiceReadOnly,)
    parser_classes = (AssetJsonParser, MultiPartParser)

    def get_permissions(self) -> list[Any]:
        return [IsAdminRole()] if self.request.method == "DELETE" else super().get_permissions()

    def get(self, request: Request, key: str) -> HttpResponse:
        return get_json_response(request, key, asset_json)

    def put(self, request: Request, key: str) -> HttpResponse:
        return self._edit(request, key)

    def patch(self, request: Request, key: str) -> HttpResponse:
        return self._edit(request, key)

    def _edit(self, request: Request, key: str) -> HttpResponse:
        taxonomy = current_taxonomy()
        pk = get_asset_pk(key, taxonomy)
        serializer = EditAssetSerializer(data=flatten_form(_object_body(request)))
        serializer.is_valid(raise_exception=True)
        edit_asset(pk, serializer.validated_data, by=request.user, taxonomy=taxonomy, now=timezone.now())
        return asset_response(request, pk)

    def delete(self, request: Request, key: str) -> Response:
        asset = get_asset(key, current_taxonomy())
        reason = clean_text(request.query_params.get("reason", ""), field="reason", max_length=200, is_single_line=True)
        if not delete_assets([asset.pk], by=request.user, now=timezone.now(), reason=reason):
            raise AssetNotFound(key)
        return success({"message": f"Asset {asset.name} deleted successfully"})


def _object_body(request: Request) -> Any:
    body = _without_files(request)
    if not isinstance(body, dict):
        raise ValidationError("body must be a JSON object")
    return body


class AssetMetadataView(APIView):
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request, key: str) -> HttpResponse:
        return get_json_response(request, key, metadata_json)


class AssetCountView(APIView):
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        return success({"count": count_assets(request.query_params)})


class CurateView(APIView):
    """POST responds 201, as the legacy server did, and PUT 200."""

    permission_classes = (IsAdminRole,)

    def post(self, request: Request, key: str) -> HttpResponse:
        return self._curate(request, key, status=201)

    def put(self, request: Request, key: str) -> HttpResponse:
        return self._curate(request, key, status=200)

    def _curate(self, request: Request, key: str, *, status: int) -> HttpResponse:
        pk = get_asset_pk(key, current_taxonomy())
        curate_assets([pk], by=request.user, now=timezone.now())
        return asset_response(request, pk, status=status)


class AssetBatchView(APIView):
    """Two endpoints with one path: a form registers assets, a JSON body reads assets by their addresses."""

    permission_classes = (IsAuthenticated,)
    parser_classes = (JsonParser, MultiPartParser)

    def get_permissions(self) -> list[Any]:
        is_form = (self.request.content_type or "").startswith("multipart/")
        return [IsUser()] if is_form else super().get_permissions()

    def post(self, request: Request) -> HttpResponse:
        if isinstance(request.data, QueryDict):
            return self._register(request)
        serializer = BatchAddressesSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return read_response(request, join_json(fetch_referenced_rows(request, serializer.validated_data["addresses"])))

    def _register(self, request: Request) -> HttpResponse:
        files = request.FILES.getlist("files[]") + request.FILES.getlist("files")
        items = _parse_csv_rows(request.POST.get("csvData", ""), files)
        assets = register_assets(
            items, by=request.user, taxonomy=current_taxonomy(), now=timezone.now(), describe_error=_describe_row_error
        )
        rows = fetch_rows(request, [asset.pk for asset in assets])
        return success_from_json(join_json(rows), status=201)


def _parse_csv_rows(text: str, files: list[Any]) -> list[RegistrationData]:
    """Parse the rows of `csvData`, each with the file that it names. Raises an error naming the row."""
    rows = read_list(text, "csvData") if text.strip().startswith("[") else []
    if not rows:
        raise InvalidInput("csvData must be a JSON array of at least one row", field="csvData")
    if len(rows) > settings.ASSETS_MAX_BATCH_FILES:
        raise InvalidInput(f"csvData must hold at most {settings.ASSETS_MAX_BATCH_FILES} rows", field="csvData")
    names = Counter(file.name for file in files)
    repeated = [name for name, count in names.items() if count > 1]
    if repeated:
        raise InvalidInput(f"files hold two parts named {repeated[0]}", field="files")
    by_name = {file.name: file for file in files}
    items = []
    for position, row in enumerate(rows):
        try:
            serializer = CsvRowSerializer(data=flatten_form(row) if isinstance(row, dict) else row)
            serializer.is_valid(raise_exception=True)
        except ValidationError as error:
            raise ValidationError({f"csvData[{position}]": error.detail}) from error
        fields = dict(serializer.validated_data)
        filename = fields.pop("filename")
        if filename not in by_name:
            raise InvalidInput(f"csvData[{position}]: no file named {filename} was sent", field=f"csvData[{position}]")
        items.append(RegistrationData(file=by_name.pop(filename), **fields))
    return items


def _describe_row_error(position: int, error: InvalidInput) -> InvalidInput:
    return error.with_prefix(f"csvData[{position}]")


class NextSequenceView(APIView):
    """Reserve a sequence number for five minutes. The number is never used afterwards."""

    permission_classes = (IsUser,)

    def post(self, request: Request) -> Response:
        serializer = ReserveSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        node = current_taxonomy().resolve(**serializer.validated_data)
        reserved = reserve_numbers(
            [node.pk], purpose=SequenceReservation.Purpose.REQUEST, by=request.user.email, now=timezone.now()
        )[0]
        return success(
            {
                "layer": node.layer,
                "category": node.category_code,
                "subcategory": node.code,
                "sequence": f"{reserved.number:03d}",
                "hfn": node.hfn(reserved.number),
                "mfa": node.numeric_mfa(reserved.number),
                "nna_address": node.mfa(reserved.number),
                "expiresAt": format_timestamp(reserved.expires_at),
            },
            status=201,
        )
