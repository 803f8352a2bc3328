"""`/api/assets...`: the old clients' endpoints, in their envelopes."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
from django.conf import settings
from django.db.models.expressions import RawSQL
from django.http import HttpResponse, QueryDict
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.envelopes import success, success_from_json
from api.parsers import JsonParser
from api.permissions import IsAdminRole, IsUser, IsUserOrServiceReadOnly, is_service
from assets.api.asset_json import asset_json, fetch_by_pk, fetch_latest, join_json, metadata_json
from assets.api.legacy_forms import flatten_form, read_list
from assets.api.listing import AssetPage, count_assets, list_assets
from assets.api.parsers import MultiPartParser
from assets.api.serializers import (
    BatchAddressesSerializer,
    CsvRowSerializer,
    EditAssetSerializer,
    RegisterAssetSerializer,
    ReserveSerializer,
)
from assets.editing import curate_assets, delete_assets, edit_asset
from assets.errors import AssetNotFound
from assets.lookup import get_asset, get_asset_pk, get_assets_by_reference, parse_reference
from assets.models import SequenceReservation
from assets.registration import RegistrationData, register_asset, register_assets
from assets.sequences import reserve_numbers
from common.errors import FieldErrorDetail, InvalidInput
from common.text_validation import clean_text
from common.timestamps import format_timestamp
from flags.evaluation import EnabledFlags, read_with_flags
from taxonomy.snapshot_cache import current_taxonomy


def page_response(request: Request, page: AssetPage) -> HttpResponse:
    """A person gets an object around `items`; a service gets the rows plain, the figures beside them."""
    figures: dict[str, int] = {
        "total": page.total,
        "page": page.wish.page,
        "limit": page.wish.limit,
        "totalPages": page.wish.total_pages(page.total),
    }
    rows = join_json(page.rows.texts)
    tail = b"," + orjson.dumps(figures)[1:-1]
    if is_service(request):
        return success_from_json(rows, beside_json=tail)
    return success_from_json(b'{"items":' + rows + tail + b"}")


def list_response(request: Request, params: Any) -> HttpResponse:
    def read(flags: EnabledFlags) -> tuple[AssetPage, str | None]:
        page = list_assets(params, flags=flags, is_admin=request.user.is_admin)
        return page, page.rows.stamp

    return page_response(request, read_with_flags(request, read))


def asset_response(request: Request, pk: int, *, status: int = 200) -> HttpResponse:
    [row] = read_with_flags(request, lambda flags: fetch_by_pk([pk], flags))
    answer = success_from_json(row.encode())
    answer.status_code = status
    return answer


def get_json_response(request: Request, key: str, row: Callable[[EnabledFlags], RawSQL]) -> HttpResponse:
    """The asset `key` means, as `row` writes it. An admin who asks for them gets deleted ones too."""
    wants_deleted = request.query_params.get("includeDeleted") == "true" and request.user.is_admin
    asked = parse_reference(key)
    if asked is None:
        raise AssetNotFound(key)
    sql, params = asked.condition(current_taxonomy)
    rows = read_with_flags(
        request, lambda flags: fetch_latest(row(flags), sql, params, limit=1, has_deleted=wants_deleted)
    )
    if not rows:
        raise AssetNotFound(key)
    return success_from_json(rows[0].encode())


class AssetListView(APIView):
    """List and search; register."""

    permission_classes = (IsUserOrServiceReadOnly,)
    parser_classes = (MultiPartParser, JsonParser)

    def get(self, request: Request) -> HttpResponse:
        return list_response(request, request.query_params)

    def post(self, request: Request) -> HttpResponse:
        files = request.FILES.getlist("file")
        if len(files) != 1:
            raise InvalidInput("file is required: one file, as a part of multipart/form-data", field="file")
        wish = RegisterAssetSerializer(data=flatten_form(_without_files(request)))
        wish.is_valid(raise_exception=True)
        asset = register_asset(
            RegistrationData(file=files[0], **wish.validated_data),
            by=request.user, directory=current_taxonomy(), now=timezone.now(),
        )  # fmt: skip
        return asset_response(request, asset.pk, status=201)


def _without_files(request: Request) -> Any:
    """REST framework mixes files into the form; the form alone has the fields."""
    return request._request.POST if isinstance(request.data, QueryDict) else request.data


class AssetSearchView(APIView):
    """The same engine under the recommendation service's path; POST takes the parameters as a JSON object."""

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
    """An asset's JSON may carry a picture: 2 MiB of it are nearly 3 in base64."""

    max_bytes_setting = "ASSETS_MAX_JSON_BYTES"


class AssetDetailView(APIView):
    """One asset by HFN, MFA in either notation, or id."""

    permission_classes = (IsUserOrServiceReadOnly,)
    parser_classes = (AssetJsonParser, MultiPartParser)

    def get_permissions(self) -> list[Any]:
        return [IsAdminRole()] if self.request.method == "DELETE" else super().get_permissions()

    def get(self, request: Request, key: str) -> HttpResponse:
        return get_json_response(request, key, asset_json)

    def put(self, request: Request, key: str) -> HttpResponse:
        directory = current_taxonomy()
        pk = get_asset_pk(key, directory)
        wish = EditAssetSerializer(data=flatten_form(_object_body(request)))
        wish.is_valid(raise_exception=True)
        edit_asset(pk, wish.validated_data, by=request.user, directory=directory, now=timezone.now())
        return asset_response(request, pk)

    patch = put

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
    """POST answers 201 as the old server did, PUT 200."""

    permission_classes = (IsAdminRole,)

    def post(self, request: Request, key: str) -> HttpResponse:
        pk = get_asset_pk(key, current_taxonomy())
        curate_assets([pk], by=request.user, now=timezone.now())
        return asset_response(request, pk, status=201 if request.method == "POST" else 200)

    put = post


class AssetBatchView(APIView):
    """Two endpoints that share a path: a form registers many assets, a JSON body asks for many by address."""

    permission_classes = (IsAuthenticated,)
    parser_classes = (JsonParser, MultiPartParser)

    def get_permissions(self) -> list[Any]:
        is_form = (self.request.content_type or "").startswith("multipart/")
        return [IsUser()] if is_form else super().get_permissions()

    def post(self, request: Request) -> HttpResponse:
        if isinstance(request.data, QueryDict):
            return self._register(request)
        wish = BatchAddressesSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        addresses = wish.validated_data["addresses"]
        found = get_assets_by_reference(addresses, current_taxonomy())
        pks = [found[address][0] for address in addresses if address in found]
        return success_from_json(join_json(read_with_flags(request, lambda flags: fetch_by_pk(pks, flags))))

    def _register(self, request: Request) -> HttpResponse:
        files = request.FILES.getlist("files[]") + request.FILES.getlist("files")
        wishes = _read_csv_rows(request.POST.get("csvData", ""), files)
        assets = register_assets(
            wishes, by=request.user, directory=current_taxonomy(), now=timezone.now(), describe_error=_name_row
        )
        rows = read_with_flags(request, lambda flags: fetch_by_pk([asset.pk for asset in assets], flags))
        answer = success_from_json(join_json(rows))
        answer.status_code = 201
        return answer


def _read_csv_rows(text: str, files: list[Any]) -> list[RegistrationData]:
    """The rows of `csvData`, each with the file it names. Raises naming the row."""
    rows = read_list(text, "csvData") if text.strip().startswith("[") else []
    if not rows:
        raise InvalidInput("csvData must be a JSON array of at least one row", field="csvData")
    if len(rows) > settings.ASSETS_MAX_BATCH_FILES:
        raise InvalidInput(f"csvData must hold at most {settings.ASSETS_MAX_BATCH_FILES} rows", field="csvData")
    names = Counter(file.name for file in files)
    doubled = [name for name, count in names.items() if count > 1]
    if doubled:
        raise InvalidInput(f"files hold two parts named {doubled[0]}", field="files")
    by_name = {file.name: file for file in files}
    wishes = []
    for position, row in enumerate(rows):
        try:
            wish = CsvRowSerializer(data=flatten_form(row) if isinstance(row, dict) else row)
            wish.is_valid(raise_exception=True)
        except ValidationError as error:
            raise ValidationError({f"csvData[{position}]": error.detail}) from error
        fields = dict(wish.validated_data)
        filename = fields.pop("filename")
        if filename not in by_name:
            raise InvalidInput(f"csvData[{position}]: no file named {filename} was sent", field=f"csvData[{position}]")
        wishes.append(RegistrationData(file=by_name.pop(filename), **fields))
    return wishes


def _name_row(position: int, error: InvalidInput) -> InvalidInput:
    field_errors = [
        FieldErrorDetail(f"csvData[{position}].{fault.field}", fault.message) for fault in error.field_errors
    ]
    return type(error)(
        f"csvData[{position}]: {error.message}",
        field_errors=field_errors or (FieldErrorDetail(f"csvData[{position}]", ""),),
    )


class NextSequenceView(APIView):
    """A number for later: reserved for five minutes, unused for good after that."""

    permission_classes = (IsUser,)

    def post(self, request: Request) -> Response:
        wish = ReserveSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        node = current_taxonomy().resolve(**wish.validated_data)
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
