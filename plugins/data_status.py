"""Data status inside Airflow's own interface: what is late, wrong or blocked. The page itself: `khochung.ops.status_page`.

Every Airflow process imports this file, so that the page is built when somebody first opens it.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

Message = MutableMapping[str, Any]
PREFIX = "/data-status"


class Page:
    """The ASGI application, made at the first request."""

    @staticmethod
    @cache
    def application() -> Any:
        from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
        from airflow.api_fastapi.core_api.security import requires_access_view
        from fastapi import Depends

        from khochung.ops import status_page
        from khochung.settings import Settings

        # Whoever may see Airflow's pages may see this one; it changes nothing.
        return status_page.application(Settings.from_environment(), [Depends(requires_access_view(AccessView.WEBSITE))])

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        await self.application()(scope, receive, send)


class DataStatus(AirflowPlugin):  # type: ignore[misc]  # Airflow is read as Any
    name = "data_status"
    fastapi_apps: ClassVar[list[Any]] = [{"name": "Data status", "app": Page(), "url_prefix": PREFIX}]
    external_views: ClassVar[list[Any]] = [
        {
            "name": "Data status",
            "href": f"{PREFIX}/",
            "url_route": "data-status",
            "destination": "nav",
            "nav_top_level": True,
        }
    ]
