"""Refuses requests to Airflow's page and API that come by a foreign name, or from another site's page.

A page in somebody's browser could otherwise reach an Airflow that listens to this machine only: by a name of its own
that it points to 127.0.0.1, or by a form that it sends there.
"""

from urllib.parse import urlsplit

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import conf

THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


class KnownHosts:
    """Answers 403 to all but this machine's names and the host of ``AIRFLOW__API__BASE_URL``."""

    def __init__(self, app):
        self.app = app
        self.known = THIS_MACHINE | {urlsplit(conf.get("api", "base_url", fallback="")).hostname} - {None}

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket") or not (fault := self.fault(scope["headers"])):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            head = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": head})
            await send({"type": "http.response.body", "body": fault.encode()})

    def fault(self, headers):
        """Why a request is refused, or nothing."""
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        if len(hosts) != 1 or self.name(f"//{hosts[0]}") not in self.known:
            return "this Airflow has another name; mend: use its own, or set AIRFLOW__API__BASE_URL\n"
        origins = {value.decode("latin-1") for name, value in headers if name == b"origin"}
        if origins - {f"http://{hosts[0]}", f"https://{hosts[0]}"}:
            return "this request comes from another site's page\n"
        return None

    @staticmethod
    def name(url):
        try:
            return urlsplit(url).hostname
        except ValueError:  # no address at all
            return None


class KnownHostsPlugin(AirflowPlugin):
    name = "known_hosts"
    fastapi_root_middlewares = [{"middleware": KnownHosts, "name": "known hosts"}]
