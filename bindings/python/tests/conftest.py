"""Each scenario that passes says so in one line, for the table of all languages."""

import pytest

from headquarters import Stage


def pytest_configure(config):
    config.addinivalue_line("markers", "scenario(id): covers this scenario of contract.toml")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    marker = item.get_closest_marker("scenario")
    if marker and report.when == "call" and report.passed:
        terminal = item.config.pluginmanager.get_plugin("terminalreporter")
        terminal.write_line(f"\ncontract: python {marker.args[0]} ok")
    return report


@pytest.fixture
def stage(tmp_path):
    stage = Stage(tmp_path)
    yield stage
    stage.shut()
