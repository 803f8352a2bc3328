"""Changes of assets, for admins."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.pagination import parse_page_params
from api.permissions import IsAdminRole
from assets.metrics import recent_activity


class ActivityView(APIView):
    permission_classes = (IsAdminRole,)

    def get(self, request: Request) -> Response:
        page = parse_page_params(request.query_params)
        events, total = recent_activity(page)
        return Response(
            {
                "activity": events,
                "pagination": {
                    "page": page.page,
                    "limit": page.limit,
                    "total": total,
                    "totalPages": page.total_pages(total),
                },
            }
        )
