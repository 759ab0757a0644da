"""The DAGs as Airflow reads them: no scheduler, no database of a real installation."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from dealermart.base import REPO

DAGS = REPO / "dags"


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings that Airflow reads when it is first imported, which is why tests import it late."""
    home = tmp_path_factory.mktemp("airflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(home))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        patch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(DAGS))
        patch.setenv("AIRFLOW__CORE__PLUGINS_FOLDER", str(DAGS / "plugins"))
        patch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", f"sqlite:///{home}/airflow.db")
        patch.setenv("AIRFLOW__USAGE_DATA_COLLECTION__ENABLED", "False")
        patch.syspath_prepend(str(DAGS))
        yield


@pytest.fixture(scope="session")
def dagbag(airflow_home: None) -> Any:
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(DAGS))


@pytest.fixture(scope="session")
def assets(airflow_home: None) -> ModuleType:
    import assets as module

    return module
