"""The command `p2pchat`."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from p2pchat.cli import doctor, identity, mailbox, node
from p2pchat.cli.demo import command as demo
from p2pchat.node.errors import P2pchatError, UserError

EXIT_FAILED = 1
EXIT_BAD_USE = 2  # as click and most commands do

# click's base of everything that is wrong with a command line; typer keeps its own copy without a public name.
_UsageError = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

app = typer.Typer(
    name="p2pchat",
    help="Chat without a server in the middle.",
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command("node")(node.run)
app.add_typer(mailbox.app, name="mailbox")
app.add_typer(identity.app, name="identity")
app.command("doctor")(doctor.run)
app.command("demo")(demo.run)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"p2pchat {version('p2pchat-node')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Say which version."),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run a command; whatever the user can mend is one line on stderr, and exit code 2."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """The exit code of a command line."""
    try:
        code: Any = app(arguments, prog_name="p2pchat", standalone_mode=False)
    except UserError as error:
        return fail(str(error), EXIT_BAD_USE)
    except P2pchatError as error:
        return fail(str(error), EXIT_FAILED)
    except typer.Abort:
        return fail("Nothing was done.", EXIT_FAILED)
    except Exception as error:
        if isinstance(error, _UsageError):
            problem: str = error.format_message()  # type: ignore[attr-defined]
            # click counts the empty text among the words for "no", and lists it.
            return fail(problem.replace("values: , ", "values: "), EXIT_BAD_USE)
        raise
    return code if isinstance(code, int) else 0


def fail(message: str, code: int) -> int:
    """One line on stderr, whatever the message."""
    print(f"p2pchat: {' '.join(message.split())}", file=sys.stderr)
    return code
