"""The configuration: one model, read from a YAML file, each key overridable by `KUBERNAUT_SECTION__KEY`."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from kubernaut.domain.errors import BadInput
from kubernaut.pipeline.outside import Limits

_OTHER_VARIABLES = ("config",)
"""Variables of the commands themselves: KUBERNAUT_CONFIG names the file."""


class Section(BaseModel):
    """A part of the configuration; a key that nobody knows is an error, not a silent no-op."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Gateway(Section):
    """Where alerts come in."""

    listen: str = Field("127.0.0.1:9480", description="HOST:PORT of the webhooks, /healthz, /readyz and /metrics.")
    tokens_file: Path | None = Field(
        None,
        description="File with one bearer token a line (optionally `token  # whose`). Without it no webhook is taken.",
    )
    max_body_bytes: int = Field(8 * 1024 * 1024, gt=0, description="Larger webhook bodies are refused with 413.")
    read_deadline_s: float = Field(10.0, gt=0, description="How long a sender may take to send its body.")

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise ValueError(f"{value!r} is not HOST:PORT, as 127.0.0.1:9480")
        return value

    @property
    def host(self) -> str:
        """The address to listen on."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on; 0 takes a free one."""
        return int(self.listen.rpartition(":")[2])


class Api(Section):
    """Where the console and the command line come in."""

    socket: Path | None = Field(None, description="Unix socket, mode 0660. Default: kubernaut.sock in state_dir.")
    group: str | None = Field(
        None, description="Group that may connect to the socket; default: the daemon's own group."
    )


class Cluster(Section):
    """One cluster."""

    name: str = Field(description="How alerts (label `cluster`), people and the journal call it.", min_length=1)
    kubeconfig: Path | None = Field(
        None, description="Kubeconfig file; without it the pod's own service account is used."
    )
    context: str | None = Field(None, description="Context in the kubeconfig; default: its current-context.")
    labels: dict[str, str] = Field(
        default_factory=dict, description="Labels for classification, as `environment: production` for its nodes."
    )


class Policies(Section):
    """Which rules decide."""

    dir: Path | None = Field(None, description="Folder with *.rego and data.json; default: the shipped rules.")
    settings: dict[str, Any] = Field(default_factory=dict, description="Overrides of `settings` in data.json.")


class ForgeSection(Section):
    """Where pull requests go."""

    kind: Literal["local"] = Field(
        "local", description="`local`: bare repositories below `root`, pull requests in kubernaut."
    )
    root: Path | None = Field(None, description="Folder of the bare repositories. Default: forge in state_dir.")
    repositories: dict[str, str] = Field(
        default_factory=dict, description="repoURL as Argo CD or Flux spells it → repository's name below root."
    )


class Members(Section):
    """Who has a role."""

    users: tuple[str, ...] = Field((), description="User names, as `id -un` says them.")
    groups: tuple[str, ...] = Field((), description="Groups of the machine, as `id -Gn` says them.")


class Roles(Section):
    """Users and groups of each role; a role contains the ones before it. Nobody has a role by default."""

    viewer: Members = Field(Members(), description="May look.")
    approver: Members = Field(Members(), description="May vote, merge, cancel and raise signals.")
    senior: Members = Field(Members(), description="May also do what policy leaves to seniors.")
    admin: Members = Field(Members(), description="May vote whatever groups a policy names.")


class Watch(Section):
    """Signals from what objects say, besides alerts."""

    enabled: bool = Field(
        True, description="Raise signals from pods, Deployments and nodes without waiting for an alert."
    )
    ignore_namespaces: tuple[str, ...] = Field(
        ("kube-system", "kube-public", "kube-node-lease"), description="Namespaces whose objects raise no signal."
    )
    pod_grace_s: float = Field(60.0, ge=0, description="A pod may be unready for so long before it is a signal.")
    deployment_grace_s: float = Field(60.0, ge=0, description="A Deployment may lack pods for so long.")
    node_grace_s: float = Field(10.0, ge=0, description="A node may be not ready for so long.")


class Times(Section):
    """How long things may take, in seconds."""

    dedup_window_s: float = Field(300.0, ge=0, description="A remediation that ended takes duplicates for so long.")
    enrich_deadline_s: float = Field(10.0, gt=0, description="For reading all facts about one failure.")
    patience_s: float = Field(20.0, ge=0, description="Look again for so long before an unclear failure is escalated.")
    call_deadline_s: float = Field(15.0, gt=0, description="For one call to a cluster or a forge.")
    approval_ttl_s: float = Field(900.0, gt=0, description="How long a question to people stays open.")
    resolve_grace_s: float = Field(
        60.0, ge=0, description="How long a verification waits for the alert to resolve once the objects are healthy."
    )
    stability_s: float = Field(60.0, ge=0, description="Health must hold for so long without a break.")
    verify_poll_s: float = Field(2.0, gt=0, description="How often health is looked at.")
    verify_deadline_s: float = Field(
        600.0, gt=0, description="Health must have come by then; else it is undone or handed over."
    )
    rollback_deadline_s: float = Field(300.0, gt=0, description="For undoing all steps of a plan.")
    merge_poll_s: float = Field(10.0, gt=0, description="How often an open pull request is looked at.")
    overdue_s: float = Field(86_400.0, gt=0, description="A pull request that waits longer is overdue, loudly.")
    sync_poll_s: float = Field(1.0, gt=0, description="How often a sync is looked at after a merge.")
    sync_deadline_s: float = Field(900.0, gt=0, description="The merged change must be live by then.")
    outage_s: float = Field(3_600.0, gt=0, description="Wait for a silent cluster or forge for so long, then escalate.")

    @model_validator(mode="after")
    def _can_hold(self) -> "Times":
        if self.stability_s >= self.verify_deadline_s:
            raise ValueError("stability_s must be less than verify_deadline_s, or no verification could ever succeed")
        return self


class Confidence(Section):
    """The confidence gate, 0 to 1."""

    act_alone_above: float = Field(0.9, ge=0, le=1, description="Surer findings may proceed under policy; others ask.")
    never_below: float = Field(0.7, ge=0, le=1, description="Less sure findings are handed to people, never acted on.")

    @model_validator(mode="after")
    def _in_order(self) -> "Confidence":
        if self.never_below > self.act_alone_above:
            raise ValueError("never_below must not be above act_alone_above")
        return self


class AnalysisSection(Section):
    """How the rules analyst looks at things."""

    steady_s: float = Field(
        15.0, ge=0, description="A state counts only after so long, in seconds. Keep it below times.patience_s."
    )
    recent_s: float = Field(3_600.0, gt=0, description="A change counts as a possible cause for so long, in seconds.")


class Log(Section):
    """What the daemon writes to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is written.")
    format: Literal["console", "json"] = Field("json", description="`json` for machines, `console` for people.")


class Settings(BaseSettings):
    """All keys. Relative paths are relative to the configuration file's folder."""

    model_config = SettingsConfigDict(
        env_prefix="KUBERNAUT_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    state_dir: Path = Field(Path("state"), description="The database, the local forge, the socket. Back this up.")
    gateway: Gateway = Gateway()
    api: Api = Api()
    clusters: tuple[Cluster, ...] = ()
    policies: Policies = Policies()
    forge: ForgeSection = ForgeSection()
    roles: Roles = Roles()
    watch: Watch = Watch()
    times: Times = Times()
    confidence: Confidence = Confidence()
    analysis: AnalysisSection = AnalysisSection()
    log: Log = Log()
    freeze: bool = Field(False, description="A change freeze: what would run alone asks a senior.")
    max_concurrent: int = Field(64, gt=0, description="Remediations that are worked on at a time.")

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """The environment wins over the file."""
        return env_settings, init_settings

    @model_validator(mode="after")
    def _unique_clusters(self) -> "Settings":
        names = [cluster.name for cluster in self.clusters]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"clusters: two entries are called {', '.join(twice)}")
        return self

    @property
    def socket(self) -> Path:
        """Where the API listens."""
        return self.api.socket or self.state_dir / "kubernaut.sock"

    @property
    def forge_root(self) -> Path:
        """Where the local forge keeps its repositories."""
        return self.forge.root or self.state_dir / "forge"

    def limits(self) -> Limits:
        """The times and thresholds as the pipeline takes them."""
        return Limits(**self.times.model_dump(), **self.confidence.model_dump())

    def policy_overrides(self) -> dict[str, Any]:
        """What the configuration says to the rules: the confidence gate, and `policies.settings` above it."""
        gate = {"alone_above": self.confidence.act_alone_above, "never_below": self.confidence.never_below}
        return {"confidence": gate, **self.policies.settings}


def load(path: Path) -> Settings:
    """Read a configuration file.

    Raises:
        BadInput: the file can't be read or a key is wrong; one line a fault, each naming file, line and key.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        hint = "name one with --config or KUBERNAUT_CONFIG; `kubernaut config example` prints one to begin with"
        raise BadInput(f"can't read the configuration: {error.strerror}; {hint}", place=str(path)) from error
    except UnicodeDecodeError as error:
        raise BadInput("is not UTF-8 text", place=str(path)) from error
    try:
        document = yaml.safe_load(text) or {}
        lines = _lines(yaml.compose(text, Loader=yaml.SafeLoader), path)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise BadInput(f"is not YAML: {getattr(error, 'problem', error)}", place=place) from error
    if not isinstance(document, Mapping):
        raise BadInput("must be a mapping of keys, as `state_dir: ./state`", place=str(path))
    if stray := _stray_variables():
        raise BadInput("\n".join(stray))
    try:
        settings = Settings(**_filled(document))
    except ValidationError as error:
        raise BadInput("\n".join(_faults(error, path, lines))) from error
    except SettingsError as error:
        raise BadInput(_unreadable_variable(error)) from error
    return _resolved(settings, path.resolve().parent)


def _filled(document: Mapping[Any, Any]) -> dict[str, Any]:
    """Without empty sections: one whose keys are all commented out is there, and says nothing."""
    sections = {str(key): value for key, value in document.items() if value is not None}
    return {
        key: {str(k): v for k, v in value.items() if v is not None} if isinstance(value, Mapping) else value
        for key, value in sections.items()
    }


def places(path: Path) -> dict[tuple[str | int, ...], str]:
    """Where each key of a readable configuration file stands: path of the key → `file:line`."""
    node = yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader)
    return {key: f"{path}:{line}" for key, line in _lines(node, path).items()}


def _lines(node: yaml.Node | None, path: Path, prefix: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], int]:
    """Line of each key: path of the key → line from 1.

    Raises:
        BadInput: a key stands twice in one mapping; YAML would take the last in silence.
    """
    found: dict[tuple[str | int, ...], int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here, line = (*prefix, str(key.value)), key.start_mark.line + 1
            if here in found:
                raise BadInput(
                    f"stands twice, first in line {found[here]}", field=_dotted(here), place=f"{path}:{line}"
                )
            found[here] = line
            found |= _lines(value, path, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            found[(*prefix, index)] = item.start_mark.line + 1
            found |= _lines(item, path, (*prefix, index))
    return found


def _dotted(where: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")


def _variable(where: tuple[str | int, ...]) -> str:
    """The environment variable that a key came from; empty when it came from the file."""
    for length in range(len(where), 0, -1):
        name = "KUBERNAUT_" + "__".join(str(part) for part in where[:length]).upper()
        if name in {given.upper() for given in os.environ}:
            return name
    return ""


def _unreadable_variable(error: SettingsError) -> str:
    """Which environment variable is no JSON; its value is not repeated."""
    cause = error.__cause__
    quoted = [part for part in str(error).split('"') if part in Settings.model_fields]
    name = f"KUBERNAUT_{quoted[0].upper()}" if quoted else "a KUBERNAUT_ variable"
    return (
        f"environment variable {name}: lists and sections are given as JSON, and this is none ({type(cause).__name__})"
    )


def _stray_variables() -> list[str]:
    """Environment variables that look like overrides and are none: a typo there must not be a silent no-op."""
    known = {*Settings.model_fields, *_OTHER_VARIABLES}
    sections = [(name, name.removeprefix("KUBERNAUT_").split("__")[0].lower()) for name in os.environ]
    stray = sorted(name for name, section in sections if name.startswith("KUBERNAUT_") and section not in known)
    return [
        f"environment variable {name}: no such section; known: {', '.join(Settings.model_fields)}" for name in stray
    ]


def _faults(error: ValidationError, path: Path, lines: Mapping[tuple[str | int, ...], int]) -> list[str]:
    faults = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        where = tuple(fault["loc"])
        line = next((lines[where[:n]] for n in range(len(where), 0, -1) if where[:n] in lines), None)
        variable = _variable(where)
        place = f"environment variable {variable}" if variable else f"{path}:{line}" if line else str(path)
        key = _dotted(where)
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            message = f"unknown key{_did_you_mean(where)}"
        faults.append(f"{place}: {key}: {message}" if key else f"{path}: {message}")
    return faults


def _did_you_mean(where: tuple[str | int, ...]) -> str:
    model: Any = Settings
    for part in where[:-1]:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        model = annotation if hasattr(annotation, "model_fields") else Cluster
    known = list(model.model_fields)
    close = difflib.get_close_matches(str(where[-1]), known, 1)
    return f", did you mean {close[0]!r}?" if close else f"; known keys here: {', '.join(known)}"


def _resolved(settings: Settings, folder: Path) -> Settings:
    """Relative paths made absolute against the configuration file's folder."""

    def absolute(path: Path | None) -> Path | None:
        return None if path is None else Path(os.path.normpath(folder / path.expanduser()))

    gateway = settings.gateway.model_copy(update={"tokens_file": absolute(settings.gateway.tokens_file)})
    api = settings.api.model_copy(update={"socket": absolute(settings.api.socket)})
    policies = settings.policies.model_copy(update={"dir": absolute(settings.policies.dir)})
    forge = settings.forge.model_copy(update={"root": absolute(settings.forge.root)})
    clusters = tuple(c.model_copy(update={"kubeconfig": absolute(c.kubeconfig)}) for c in settings.clusters)
    return settings.model_copy(
        update={
            "state_dir": absolute(settings.state_dir), "gateway": gateway, "api": api, "policies": policies,
            "forge": forge, "clusters": clusters,
        }
    )  # fmt: skip
