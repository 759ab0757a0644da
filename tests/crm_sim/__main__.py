"""python -m tests.crm_sim: both simulators on this machine until Ctrl-C, with the CRM of the sample company."""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from pathlib import Path

from tests.crm_sim import Fxiaoke, Zoho
from tests.crm_sim.sample import load, read

import sample_company


def environment(zoho: Zoho, fxiaoke: Fxiaoke) -> dict[str, str]:
    """What a client of this project needs to find both."""
    return {
        "DEALERMART_CRM_TEST_HOST": "1",
        "DEALERMART_CRM_ZOHO_BASE_URL": zoho.base,
        "DEALERMART_CRM_ZOHO_CLIENT_ID": zoho.client_id,
        "DEALERMART_CRM_ZOHO_CLIENT_SECRET": zoho.client_secret,
        "DEALERMART_CRM_ZOHO_REFRESH_TOKEN": zoho.refresh_token,
        "DEALERMART_CRM_FXIAOKE_BASE_URL": fxiaoke.base,
        "DEALERMART_CRM_FXIAOKE_CLIENT_ID": fxiaoke.app_id,
        "DEALERMART_CRM_FXIAOKE_CLIENT_SECRET": fxiaoke.app_secret,
        "DEALERMART_CRM_FXIAOKE_PERMANENT_CODE": fxiaoke.permanent_code,
        "DEALERMART_CRM_FXIAOKE_USER_ID": fxiaoke.user,
        "DEALERMART_CRM_FXIAOKE_STYLE": "legacy",  # people by the ids that the sample's list of codes has
    }


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=["S", "M", "L"], default="S", help="of the sample company (default S)")
    parser.add_argument("--port", type=int, default=0, help="of Zoho; Fxiaoke takes the next one (default: free ones)")
    given = parser.parse_args(arguments)
    zoho, fxiaoke = Zoho(), Fxiaoke()
    print(f"making the sample company {given.size} ...", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        sample_company.make(1, given.size, Path(scratch))
        count = load(zoho, fxiaoke, read(Path(scratch)))
    try:
        zoho.start(given.port)
        fxiaoke.start(given.port + 1 if given.port else 0)
    except OSError as fault:
        print(
            f"error: port {given.port} or the next one cannot be had: {fault}\n  mend: name another --port",
            file=sys.stderr,
        )
        return 2
    print(f"{count} versions of records are loaded. Environment of a client:\n")
    print("\n".join(f"export {name}={value}" for name, value in environment(zoho, fxiaoke).items()))
    print("\nrunning; Ctrl-C ends both", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print("\nended")
    zoho.close()
    fxiaoke.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
