"""What the components are told."""

from standalone.environment import component_environment
from standalone.state import Run, StateFolder

RUN = Run(packages="/my/packages", port=8123, began=0)


def environment(folder: StateFolder, **inherited: str) -> dict[str, str]:
    return component_environment(folder, RUN, folder.read_secrets(), inherited)


def test_another_airflow_of_the_shell_does_not_leak_in(folder: StateFolder) -> None:
    given = {
        "AIRFLOW_HOME": "/other",
        "AIRFLOW__CORE__PLUGINS_FOLDER": "/other/plugins",
        "AIRFLOW_CONFIG": "/other/airflow.cfg",
    }
    assert "/other" not in " ".join(environment(folder, **given).values())


def test_connections_and_variables_of_the_shell_reach_the_jobs(folder: StateFolder) -> None:
    given = {"AIRFLOW_CONN_SHOP": "http://shop", "AIRFLOW_VAR_REGION": "eu", "PATH": "/bin"}
    assert given.items() <= environment(folder, **given).items()


def test_airflow_is_not_compiled_anew_at_each_start(folder: StateFolder) -> None:
    assert "PYTHONDONTWRITEBYTECODE" not in environment(folder, PYTHONDONTWRITEBYTECODE="1")


def test_everything_is_reached_on_loopback_only_and_past_any_proxy(folder: StateFolder) -> None:
    found = environment(folder, HTTP_PROXY="http://proxy:3128", NO_PROXY="corp.example")
    assert found["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8123/execution/"
    assert found["NO_PROXY"] == found["no_proxy"] == "corp.example,127.0.0.1,localhost"


def test_everything_written_is_in_the_state_folder(folder: StateFolder) -> None:
    found = environment(folder)
    places = ["AIRFLOW_HOME", "AIRFLOW_CONFIG", "AIRFLOW_DAGS_DIR", "AIRFLOW__LOGGING__BASE_LOG_FOLDER", "DAGSYNC_ENVIRONMENTS"]
    assert all(found[name].startswith(str(folder.root)) for name in places)
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == f"sqlite:///{folder.root}/airflow.db"
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"] == f"sqlite+aiosqlite:///{folder.root}/airflow.db"
    assert found["ETL_PACKAGES_ROOT"] == "/my/packages"
