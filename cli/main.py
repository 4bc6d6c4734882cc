"""The command `p2pchat`."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from p2pchat.cli import (
    altering,
    attach,
    backup,
    contacts,
    doctor,
    export,
    files,
    health,
    history,
    identity,
    importing,
    info,
    mailbox,
    mailboxes,
    node,
    peers,
    rooms,
    send,
    tail,
)
from p2pchat.cli.demo import command as demo
from p2pchat.cli.terminal.safe_text import safe_line
from p2pchat.cli.testnet import command as testnet
from p2pchat.node.errors import P2pchatError, UserError

EXIT_FAILED = 1
EXIT_BAD_USE = 2  # as click and most commands do
NOT_UTF_8 = "Something was given that is no text in UTF-8, or this terminal cannot show what is to be shown."

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
app.command("attach")(attach.run)
app.add_typer(mailbox.app, name="mailbox")
app.add_typer(identity.app, name="identity")
app.command("doctor")(doctor.run)
app.command("demo")(demo.run)
app.command("testnet")(testnet.run)
app.command("backup", epilog=backup.BACKUP_EXAMPLE)(backup.backup)
app.command("restore", epilog=backup.RESTORE_EXAMPLE)(backup.restore)

# Asked of a node that runs: docs/scripting.md.
_ASKED = "On a running node"
app.command("send", epilog=send.EXAMPLE, rich_help_panel=_ASKED)(send.run)
app.command("edit", epilog=altering.EDIT_EXAMPLE, rich_help_panel=_ASKED)(altering.edit)
app.command("retract", epilog=altering.RETRACT_EXAMPLE, rich_help_panel=_ASKED)(altering.retract)
app.command("delete", epilog=altering.DELETE_EXAMPLE, rich_help_panel=_ASKED)(altering.delete)
app.command("tail", epilog=tail.EXAMPLE, rich_help_panel=_ASKED)(tail.run)
app.command("history", epilog=history.HISTORY_EXAMPLE, rich_help_panel=_ASKED)(history.history)
app.command("search", epilog=history.SEARCH_EXAMPLE, rich_help_panel=_ASKED)(history.search)
app.add_typer(rooms.app, name="rooms", rich_help_panel=_ASKED)
app.add_typer(contacts.app, name="contacts", rich_help_panel=_ASKED)
app.add_typer(contacts.app, name="contact", hidden=True)
app.command("peers", epilog=peers.EXAMPLE, rich_help_panel=_ASKED)(peers.run)
app.add_typer(files.app, name="files", rich_help_panel=_ASKED)
app.add_typer(mailboxes.app, name="mailboxes", rich_help_panel=_ASKED)
app.command("info", epilog=info.INFO_EXAMPLE, rich_help_panel=_ASKED)(info.info)
app.command("name", epilog=info.NAME_EXAMPLE, rich_help_panel=_ASKED)(info.name)
app.command("link", epilog=info.LINK_EXAMPLE, rich_help_panel=_ASKED)(info.link)
app.command("export", epilog=export.EXAMPLE, rich_help_panel=_ASKED)(export.run)
app.command("import", epilog=importing.EXAMPLE, rich_help_panel=_ASKED)(importing.run)
app.command("health", epilog=health.EXAMPLE, rich_help_panel=_ASKED)(health.run)
app.command("shutdown", epilog=info.SHUTDOWN_EXAMPLE, rich_help_panel=_ASKED)(info.shutdown)


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
        code: Any = app(arguments, prog_name="p2pchat", standalone_mode=False, obj=tuple(arguments))
    except UserError as error:
        return fail(str(error), EXIT_BAD_USE)
    except P2pchatError as error:
        return fail(str(error), EXIT_FAILED)
    except UnicodeEncodeError:
        return fail(NOT_UTF_8, EXIT_BAD_USE)
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
    """One line on stderr, whatever the message; it may quote a stranger."""
    from p2pchat.cli import logs

    said = f"p2pchat: {safe_line(' '.join(message.split()))}"
    print(logs.for_journal(said), file=sys.stderr)
    return code
