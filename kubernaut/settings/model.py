"""The configuration's model: every key with its type, its default and a sentence. Nothing here reads a file."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from kubernaut.domain.limits import Limits

from .environment import Overrides

_LONGEST_S = 366 * 86_400.0
"""Beyond a year a time is a slip of the pen, and further on it is none that a calendar could add."""
Seconds = Annotated[float, Field(ge=0, le=_LONGEST_S, allow_inf_nan=False)]
Duration = Annotated[float, Field(gt=0, le=_LONGEST_S, allow_inf_nan=False)]
"""As Seconds, and not zero."""


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
    read_deadline_s: Duration = Field(10.0, description="How long a sender may take to send its body.")

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
    pod_grace_s: Seconds = Field(60.0, description="A pod may be unready for so long before it is a signal.")
    deployment_grace_s: Seconds = Field(60.0, description="A Deployment may lack pods for so long.")
    node_grace_s: Seconds = Field(10.0, description="A node may be not ready for so long.")


class Times(Section):
    """How long things may take, in seconds."""

    dedup_window_s: Seconds = Field(300.0, description="A remediation that ended takes duplicates for so long.")
    enrich_deadline_s: Duration = Field(10.0, description="For reading all facts about one failure.")
    patience_s: Seconds = Field(20.0, description="Look again for so long before an unclear failure is escalated.")
    call_deadline_s: Duration = Field(15.0, description="For one call to a cluster or a forge.")
    approval_ttl_s: Duration = Field(900.0, description="How long a question to people stays open.")
    resolve_grace_s: Seconds = Field(
        60.0, description="How long a verification waits for the alert to resolve once the objects are healthy."
    )
    stability_s: Seconds = Field(60.0, description="Health must hold for so long without a break.")
    verify_poll_s: Duration = Field(2.0, description="How often health is looked at.")
    verify_deadline_s: Duration = Field(
        600.0, description="Health must have come by then; else it is undone or handed over."
    )
    rollback_deadline_s: Duration = Field(300.0, description="For undoing all steps of a plan.")
    merge_poll_s: Duration = Field(10.0, description="How often an open pull request is looked at.")
    overdue_s: Duration = Field(86_400.0, description="A pull request that waits longer is overdue, loudly.")
    sync_poll_s: Duration = Field(1.0, description="How often a sync is looked at after a merge.")
    sync_deadline_s: Duration = Field(900.0, description="The merged change must be live by then.")
    outage_s: Duration = Field(3_600.0, description="Wait for a silent cluster or forge for so long, then escalate.")

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

    steady_s: Seconds = Field(
        15.0, description="A state counts only after so long, in seconds. Keep it below times.patience_s."
    )
    recent_s: Duration = Field(3_600.0, description="A change counts as a possible cause for so long, in seconds.")


class Log(Section):
    """What the daemon writes to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is written.")
    format: Literal["console", "json"] = Field("json", description="`json` for machines, `console` for people.")


class Settings(BaseSettings):
    """All keys. Relative paths are relative to the configuration file's folder."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

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
        return (Overrides(settings_cls, init_settings),)

    @field_validator("clusters")
    @classmethod
    def _unique_names(cls, value: tuple[Cluster, ...]) -> tuple[Cluster, ...]:
        names = [cluster.name for cluster in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two entries are called {', '.join(twice)}")
        return value

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
        nearer = self.policies.settings.get("confidence", {})
        return {**self.policies.settings, "confidence": {**gate, **nearer} if isinstance(nearer, dict) else nearer}


def no_pod() -> str:
    """Why a cluster without a kubeconfig can't be reached from here; empty in a pod, which has a service account.

    Source: Kubernetes, accessing the API from a pod.
    """
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return ""
    return "is missing, and this is no pod that has a service account: name a kubeconfig"
