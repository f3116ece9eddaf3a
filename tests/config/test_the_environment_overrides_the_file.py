"""KUBERNAUT_SECTION__KEY wins over the file, also for lists; what looks like an override and is none is an error."""

from pathlib import Path

import pytest

from kubernaut.domain.errors import BadInput
from kubernaut.settings import Settings, load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kubernaut.yaml"
    path.write_text("gateway: {listen: '127.0.0.1:1', read_deadline_s: 3}\nclusters: [{name: a}]\nfreeze: false\n")
    return path


def loaded(file: Path, monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(f"KUBERNAUT_{name}", value)
    return load(file)


def test_one_key_leaves_its_neighbours(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(file, monkeypatch, GATEWAY__LISTEN="127.0.0.1:2", FREEZE="true", TIMES__STABILITY_S="5")
    assert settings.gateway.listen == "127.0.0.1:2"
    assert settings.gateway.read_deadline_s == 3
    assert settings.freeze is True
    assert settings.times.stability_s == 5


def test_lists_and_mappings_are_json(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(
        file, monkeypatch, CLUSTERS='[{"name": "b"}, {"name": "c"}]', ROLES__ADMIN__USERS='["root"]',
        FORGE__REPOSITORIES='{"https://x/y.git": "y"}',
    )  # fmt: skip
    assert [cluster.name for cluster in settings.clusters] == ["b", "c"]
    assert settings.roles.admin.users == ("root",)
    assert settings.forge.repositories == {"https://x/y.git": "y"}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("GATEWAY__LISTNE", "x", "variable KUBERNAUT_GATEWAY__LISTNE: gateway.listne: unknown key, did you mean 'listen'?"),
        ("GATEWAI__LISTEN", "x", "environment variable KUBERNAUT_GATEWAI__LISTEN: no such section"),
        ("FREEZE", "perhaps", "environment variable KUBERNAUT_FREEZE: freeze:"),
        ("CLUSTERS", "[{name: b}]", "environment variable KUBERNAUT_CLUSTERS: lists and sections are given as JSON"),
        ("CLUSTERS", '[{"name": ""}]', "environment variable KUBERNAUT_CLUSTERS: clusters[0].name"),
        ("TIMES__STABILITY_S", "long", "environment variable KUBERNAUT_TIMES__STABILITY_S: times.stability_s"),
        ("ROLES__ADMIN__USERS", "root", "environment variable KUBERNAUT_ROLES"),
    ],
)  # fmt: skip
def test_a_wrong_variable_is_named(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    with pytest.raises(BadInput) as caught:
        loaded(file, monkeypatch, **{name: value})
    assert says in str(caught.value)


def test_the_value_of_a_wrong_variable_is_not_repeated(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput) as caught:
        loaded(file, monkeypatch, POLICIES__SETTINGS="hunter2secret")
    assert "hunter2" not in str(caught.value)


def test_the_commands_own_variables_are_no_mistakes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(file, monkeypatch, CONFIG="elsewhere.yaml").freeze is False
