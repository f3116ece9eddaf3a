"""All commands by name, loaded only when asked for: a prompt on a bastion should not wait for what it does not use."""

from importlib import import_module

import click
from click.shell_completion import CompletionItem

COMMANDS: dict[str, tuple[str, str]] = {
    "daemon": ("kubernaut.cli.daemon:daemon", "Take signals and act on them, in the foreground."),
    "config": ("kubernaut.cli.config:config", "Check the configuration, show it, or print an example."),
    "get": ("kubernaut.cli.get:get", "List remediations, approvals or clusters."),
    "describe": ("kubernaut.cli.describe:describe", "Everything about one remediation."),
    "watch": ("kubernaut.cli.watch:watch", "Follow the journal as it is written."),
    "approve": ("kubernaut.cli.vote:approve", "Approve what a remediation asks for."),
    "reject": ("kubernaut.cli.vote:reject", "Reject what a remediation asks for."),
    "cancel": ("kubernaut.cli.hands:cancel", "Stop a remediation."),
    "escalate": ("kubernaut.cli.hands:escalate", "Take a remediation over as it stands."),
    "note": ("kubernaut.cli.hands:note", "Write a remark into a remediation's timeline."),
    "pr": ("kubernaut.cli.pr:pr", "List, show, merge or close pull requests of the local forge."),
    "signal": ("kubernaut.cli.signal:signal", "Raise a signal by hand."),
    "diagnose": ("kubernaut.cli.diagnose:diagnose", "Say what is wrong with an object; changes nothing."),
    "policy": ("kubernaut.cli.policy:policy", "Check, test, evaluate or explain policies."),
    "actions": ("kubernaut.cli.actions:actions", "The catalogue of actions."),
    "demo": ("kubernaut.cli.demo:demo", "Incidents from alert to fix, on a simulated or a genuine cluster."),
}
"""name → (module:attribute, one line for the help)."""


def lazily(commands: dict[str, tuple[str, str]]) -> type[click.Group]:
    """A group whose commands are imported when they are run; others may be added to it as to any group."""

    class Lazy(click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:
            return [*self.commands, *commands]

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            if cmd_name not in commands:
                return super().get_command(ctx, cmd_name)
            module, _, attribute = commands[cmd_name][0].partition(":")
            command = getattr(import_module(module), attribute)
            if not isinstance(command, click.Command):
                raise TypeError(f"{module}:{attribute} is no command")
            return command

        def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
            """Names and help are known without importing what they name."""
            names = [CompletionItem(n, help=text) for n, text in self._told() if n.startswith(incomplete)]
            return names + click.Command.shell_complete(self, ctx, incomplete)

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            with formatter.section("Commands"):
                formatter.write_dl(self._told())

        def _told(self) -> list[tuple[str, str]]:
            here = [(name, command.get_short_help_str(80)) for name, command in self.commands.items()]
            return here + [(name, text) for name, (_, text) in commands.items()]

    return Lazy
