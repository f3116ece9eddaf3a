"""The `kubernaut` command."""

import os
import sys
from collections.abc import Sequence

import click

from kubernaut import __version__
from kubernaut.domain.errors import KubernautError

from .commands import COMMANDS, lazily
from .exits import BAD_INPUT, FAILED, INTERRUPTED, NO_DAEMON, NoDaemonError, status_of


@click.group(cls=lazily(COMMANDS), context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="kubernaut")
def root() -> None:
    """Hybrid remediation for Kubernetes: mitigate now, fix for good by pull request.

    \b
    Begin with
      kubernaut demo                  one incident from alert to fix, on a simulated cluster
      kubernaut config check          is the configuration right?
      kubernaut daemon                take alerts and act on them
      kubernaut get rr                what is going on
      kubernaut-tui                   the same as a live console

    Exit status: 0 done, 1 failed, 2 bad input, 3 refused by policy or permission, 4 not found, 5 no daemon.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status.

    Args:
        arguments: what follows the command's name; those of the process when left out.
    """
    try:
        status = root.main(arguments, prog_name="kubernaut", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort as stop:
        if isinstance(stop.__cause__, KeyboardInterrupt):  # not an answer to a question: what was changed we don't know
            sys.exit(INTERRUPTED)
        click.echo("aborted, nothing was changed", err=True)
        sys.exit(FAILED)
    except click.ClickException as error:
        error.show()
        sys.exit(BAD_INPUT)
    except NoDaemonError as error:
        _complain(error)
        sys.exit(NO_DAEMON)
    except KubernautError as error:
        _complain(error)
        sys.exit(status_of(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # whoever read our output has seen enough; the interpreter must not flush into it again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)


def _complain(error: KubernautError) -> None:
    from .tables import say

    first, *others = str(error).split("\n")
    say(f"kubernaut: {first}", *others, err=True)


if __name__ == "__main__":
    main()
