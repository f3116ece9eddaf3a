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
        ("GATEWAI__LISTEN", "x", "variable KUBERNAUT_GATEWAI__LISTEN: gatewai: unknown key, did you mean 'gateway'?"),
        ("FREEZE", "perhaps", "environment variable KUBERNAUT_FREEZE: freeze:"),
        ("CLUSTERS", "[{name: b}]", "environment variable KUBERNAUT_CLUSTERS: clusters: lists and sections are given as JSON"),
        ("CLUSTERS", '[{"name": ""}]', "environment variable KUBERNAUT_CLUSTERS: clusters[0].name"),
        ("TIMES__STABILITY_S", "long", "environment variable KUBERNAUT_TIMES__STABILITY_S: times.stability_s"),
        ("ROLES__ADMIN__USERS", "[root", "environment variable KUBERNAUT_ROLES__ADMIN__USERS: roles.admin.users: lists"),
        ("ROLES__ADMIN", "root", "environment variable KUBERNAUT_ROLES__ADMIN: roles.admin: lists and sections"),
        ("GATEWAY__LISTEN__PORT", "1", "KUBERNAUT_GATEWAY__LISTEN__PORT: gateway.listen: has no keys below it"),
        ("CLUSTERS__A__NAME", "b", "KUBERNAUT_CLUSTERS__A__NAME: clusters: is a list: a place in it is a number, as __0"),
        ("CLUSTERS__7__NAME", "b", "KUBERNAUT_CLUSTERS__7__NAME: there are 1 entries, so the next is number 1"),
        ("CLUSTERS__0__KONTEXT", "b", "CLUSTERS__0__KONTEXT: clusters[0].kontext: unknown key, did you mean 'context'?"),
        ("CLUSTERS__0__NAME", "", "environment variable KUBERNAUT_CLUSTERS__0__NAME: clusters[0].name: must not be empty"),
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


def test_what_is_in_a_list_is_reached_by_its_place(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(
        file,
        monkeypatch,
        CLUSTERS__0__CONTEXT="blue",
        CLUSTERS__0__LABELS__ENVIRONMENT="staging",
        CLUSTERS__1__NAME="b",
    )
    assert [(c.name, c.context, c.labels) for c in settings.clusters] == [
        ("a", "blue", {"environment": "staging"}), ("b", None, {})
    ]  # fmt: skip


def test_names_are_also_given_with_commas(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(file, monkeypatch, ROLES__APPROVER__GROUPS="sre, dev", ROLES__ADMIN__USERS="root")
    assert settings.roles.approver.groups == ("sre", "dev")
    assert settings.roles.admin.users == ("root",)


def test_a_section_as_json_leaves_its_other_keys(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(file, monkeypatch, GATEWAY='{"listen": "127.0.0.1:2"}', GATEWAY__MAX_BODY_BYTES="9")
    assert (settings.gateway.listen, settings.gateway.read_deadline_s) == ("127.0.0.1:2", 3)
    assert settings.gateway.max_body_bytes == 9


def test_an_empty_variable_takes_away_what_may_be_absent(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("api: {group: sre}\n")
    assert load(file).api.group == "sre"
    assert loaded(file, monkeypatch, API__GROUP="").api.group is None


def test_settings_of_policies_are_reached_one_by_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(file, monkeypatch, POLICIES__SETTINGS__DRAINS_PER_POOL="2")
    assert settings.policies.settings == {"drains_per_pool": 2}


def test_what_kubernetes_puts_beside_a_service_is_no_mistake(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Service called kubernaut, as docs/gateway.md has it, gives its pods these."""
    links = {
        "SERVICE_HOST": "10.0.0.1", "SERVICE_PORT": "9480", "SERVICE_PORT_HTTP": "9480", "PORT": "tcp://10.0.0.1:9480",
        "PORT_9480_TCP": "tcp://10.0.0.1:9480", "PORT_9480_TCP_PROTO": "tcp", "PORT_9480_TCP_ADDR": "10.0.0.1",
        "GATEWAY_SERVICE_HOST": "10.0.0.2", "GATEWAY_PORT": "tcp://10.0.0.2:9480", "GATEWAY_PORT_9480_TCP_PORT": "9480",
    }  # fmt: skip
    assert loaded(file, monkeypatch, **links).gateway.listen == "127.0.0.1:1"


def test_all_wrong_variables_are_told_at_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput) as caught:
        loaded(file, monkeypatch, GATEWAI="x", ROLES="y", FREEZE="perhaps")
    assert {line.split(": ")[0] for line in str(caught.value).splitlines()} == {
        "environment variable KUBERNAUT_GATEWAI", "environment variable KUBERNAUT_ROLES"
    }  # fmt: skip
