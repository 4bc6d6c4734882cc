"""`p2pchat mailbox`: run a mailbox in the foreground; below it the commands of its operator."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from p2pchat.cli import (
    data_folder,
    link_files,
    mailbox_operator,
    network_options,
    options,
    settings,
)
from p2pchat.node import identity
from p2pchat.node.errors import ConfigError

app = typer.Typer(invoke_without_command=True)

# The keys of a configuration file. Amounts with a unit are texts, and plain numbers as well.
FILE_KEYS: options.FileKeys = {
    "data-dir": str,
    "name": str,
    "listen": list,
    "bootstrap": list,
    "mdns": bool,
    "dht": bool,
    "upnp": bool,
    "announce": list,
    "link-file": str,
    "registration": str,
    "allow": list,
    "retention": (str, int, float),
    "quota-bytes": (str, int),
    "quota-count": int,
    "max-total-bytes": (str, int),
    "deposit-rate": (float, int),
    "deposit-burst": int,
    "archive-room": list,
    "archive-by-clients": bool,
    "archive-retention": (str, int, float),
    "archive-quota": (str, int),
    "archive-total": (str, int),
    "archive-max-rooms": int,
    "archive-rooms-per-client": int,
    "relay": bool,
    "relay-reservations": int,
    "relay-circuits": int,
    "relay-circuits-per-peer": int,
    "relay-circuit-bytes": (str, int),
    "relay-circuit-time": (str, int),
    "metrics": (str, int),
    "workers": int,
    "log-level": str,
    "log-file": str,
}
# What the commands below take over when it stands before them.
_SHARED = frozenset({"data_dir", "config"})


def _option(
    name: str, help_text: str, default: str | bool = False, metavar: str | None = None
) -> Any:
    """An option that can be set in the environment as well, as P2PCHAT_<NAME>."""
    return typer.Option(
        envvar=f"P2PCHAT_{name}", help=help_text, show_default=default, metavar=metavar
    )


@app.callback()
def run(
    context: typer.Context,
    data_dir: Annotated[
        str,
        typer.Option(
            envvar=["P2PCHAT_DATA_DIR", "DATA_DIR"],
            metavar="FOLDER",
            help="Identity, mail and control socket are kept here.",
            show_default="p2pchat-mailbox in the platform's place for user data",
        ),
    ] = "",
    name: Annotated[str, _option("NAME", "What others see the mailbox as.")] = "mailbox",
    listen: Annotated[
        list[str] | None,
        _option(
            "LISTEN",
            "Listen here; may be repeated.",
            "port 4001, TCP and QUIC, every address",
            "MULTIADDR",
        ),
    ] = None,
    announce: Annotated[
        list[str] | None,
        _option(
            "ANNOUNCE",
            "Put this address into links, e.g. /dns4/mail.example.org/tcp/4001; may be repeated.",
            "where it listens, public addresses first",
            "MULTIADDR",
        ),
    ] = None,
    bootstrap: Annotated[
        list[str] | None,
        _option(
            "BOOTSTRAP",
            "Connect to this peer first: a multiaddr, the link of a mailbox, or @FILE with such ones; may be "
            "repeated. [b]none[/b]: to nobody.",
            "the public libp2p peers",
            "ADDRESS",
        ),
    ] = None,
    mdns: Annotated[bool, _option("MDNS", "Find peers in the local network.", True)] = True,
    dht: Annotated[
        bool, _option("DHT", "Be found in the DHT, and answer others there.", True)
    ] = True,
    upnp: Annotated[bool, _option("UPNP", "Ask the router to let others in (UPnP).", True)] = False,
    link_file: Annotated[
        str,
        _option(
            "LINK_FILE", "At the start, write the link for others into this file.", metavar="FILE"
        ),
    ] = "",
    registration: Annotated[
        str,
        _option(
            "REGISTRATION", "Who may have mail taken: open, invite, allow-list.", True, "POLICY"
        ),
    ] = "invite",
    allow: Annotated[
        list[str] | None,
        _option(
            "ALLOW",
            "With --registration allow-list: this peer may; may be repeated.",
            metavar="PEER",
        ),
    ] = None,
    retention: Annotated[
        str | None,
        _option("RETENTION", "Keep mail so long: days, or e.g. 12h.", "30d", "TIME"),
    ] = None,
    quota_bytes: Annotated[
        str | None,
        _option("QUOTA_BYTES", "For each recipient, e.g. 64MiB.", "64MiB", "SIZE"),
    ] = None,
    quota_count: Annotated[
        int | None, _option("QUOTA_COUNT", "Envelopes for each recipient.", "10,000", "N")
    ] = None,
    max_total_bytes: Annotated[
        str | None, _option("MAX_TOTAL_BYTES", "Mail in all, e.g. 10GiB.", "10GiB", "SIZE")
    ] = None,
    deposit_rate: Annotated[
        float | None,
        _option("DEPOSIT_RATE", "Envelopes a second from one peer ...", "2,000", "N"),
    ] = None,
    deposit_burst: Annotated[
        int | None, _option("DEPOSIT_BURST", "... and so many at once.", "10,000", "N")
    ] = None,
    archive_room: Annotated[
        list[str] | None,
        _option(
            "ARCHIVE_ROOM",
            "Keep what is said in this room, and give it to members who missed it; may be repeated.",
            metavar="ROOM",
        ),
    ] = None,
    archive_by_clients: Annotated[
        bool,
        _option("ARCHIVE_BY_CLIENTS", "Also keep rooms that peers with mail here ask for.", True),
    ] = True,
    archive_retention: Annotated[
        str | None,
        _option(
            "ARCHIVE_RETENTION",
            "Keep rooms so long: days, or e.g. 12h; 0: for ever.",
            "365d",
            "TIME",
        ),
    ] = None,
    archive_quota: Annotated[
        str | None, _option("ARCHIVE_QUOTA", "For each room, e.g. 1GiB.", "256MiB", "SIZE")
    ] = None,
    archive_total: Annotated[
        str | None, _option("ARCHIVE_TOTAL", "Rooms in all, e.g. 10GiB.", "4GiB", "SIZE")
    ] = None,
    archive_max_rooms: Annotated[
        int | None, _option("ARCHIVE_MAX_ROOMS", "Rooms that are kept at a time.", "64", "N")
    ] = None,
    archive_rooms_per_client: Annotated[
        int | None,
        _option("ARCHIVE_ROOMS_PER_CLIENT", "... of them that one peer asked for.", "8", "N"),
    ] = None,
    relay: Annotated[
        bool, _option("RELAY", "Also carry connections for peers that cannot be reached.", True)
    ] = True,
    relay_reservations: Annotated[
        int | None,
        _option("RELAY_RESERVATIONS", "Peers that may be reached through it.", "256", "N"),
    ] = None,
    relay_circuits: Annotated[
        int | None, _option("RELAY_CIRCUITS", "Connections carried at a time.", "128", "N")
    ] = None,
    relay_circuits_per_peer: Annotated[
        int | None,
        _option("RELAY_CIRCUITS_PER_PEER", "... of them to one peer.", "8", "N"),
    ] = None,
    relay_circuit_bytes: Annotated[
        str | None,
        _option("RELAY_CIRCUIT_BYTES", "Bytes through one of them.", "128MiB", "SIZE"),
    ] = None,
    relay_circuit_time: Annotated[
        str | None,
        _option("RELAY_CIRCUIT_TIME", "How long one may last: seconds, or e.g. 1h.", "1h", "TIME"),
    ] = None,
    workers: Annotated[
        int,
        _option(
            "WORKERS",
            "Share the work among so many processes. Each has ports of its own: those of --listen and --announce, and "
            "the next ones.",
            "1",
            "N",
        ),
    ] = 1,
    metrics: network_options.Metrics = "",
    log_level: Annotated[
        str, _option("LOG_LEVEL", "One of debug, info, warning, error.", True)
    ] = "info",
    log_file: Annotated[
        str, _option("LOG_FILE", "Where the log goes.", "standard error", "FILE")
    ] = "",
    config: Annotated[
        Path | None,
        typer.Option(
            envvar="P2PCHAT_CONFIG",
            metavar="FILE",
            callback=options.file_loader(FILE_KEYS),
            is_eager=True,
            help="A TOML file with these options, e.g. retention = '30d'. Flags and environment go first.",
        ),
    ] = None,
) -> None:
    """Take mail for peers that are away, and relay for those that cannot be reached.

    Without a command: run in the foreground, until SIGINT or SIGTERM.

    The commands are for the operator of a mailbox that is running.

    Every option can also be set in the environment as P2PCHAT_<OPTION>.

    Lists there are separated by spaces or commas.
    """
    if context.invoked_subcommand is not None:
        _refuse_options_before(context, context.invoked_subcommand)
        return
    start(_given(context, config), log_file, link_file)


def _given(context: typer.Context, config: Path | None) -> Any:
    """A `MailboxGiven` of the values that the command line has found."""
    from p2pchat.cli.mailbox_settings import ArchiveGiven, MailboxGiven, RelayGiven

    values = context.params
    lists = {
        name: options.several(context, name, values[name])
        for name in ("listen", "announce", "allow", "archive_room")
    }
    bootstrap = link_files.several(context, "bootstrap", values["bootstrap"])
    same = ("retention", "quota_bytes", "quota_count", "max_total_bytes", "registration")
    relay = ("reservations", "circuits", "circuits_per_peer", "circuit_bytes", "circuit_time")
    archive = ("by_clients", "retention", "quota", "total", "max_rooms", "rooms_per_client")
    return MailboxGiven(
        settings.Given(
            data_dir=values["data_dir"],
            name=values["name"],
            listen=lists["listen"],
            bootstrap=bootstrap,
            mdns=values["mdns"],
            dht=values["dht"],
            upnp=values["upnp"],
            metrics=values["metrics"],
            log_level=values["log_level"].lower(),
            origins=options.origins(context, config),
        ),
        **{name: values[name] for name in (*same, "deposit_rate", "deposit_burst", "relay")},
        relay_limits=RelayGiven(**{name: values[f"relay_{name}"] for name in relay}),
        archive=ArchiveGiven(
            rooms=lists["archive_room"], **{name: values[f"archive_{name}"] for name in archive}
        ),
        announce=lists["announce"],
        allow=lists["allow"],
        workers=values["workers"],
    )


def _refuse_options_before(context: typer.Context, command: str) -> None:
    """A running mailbox is not changed by options: nobody shall think so."""
    for name in context.params:
        if name not in _SHARED and options.source_of(context, name) == "COMMANDLINE":
            flag = f"--{name.replace('_', '-')}"
            raise ConfigError(f"{flag} is for running a mailbox, not for {command!r}.")


def start(given: Any, log_file: str, link_file: str = "") -> None:
    """Run a mailbox as `given` says (a `MailboxGiven`). Raises `UserError` when it cannot run."""
    from p2pchat.cli import mailbox_service, mailbox_settings, workers_service
    from p2pchat.relay_mailbox.workers import sharing

    config = mailbox_settings.mailbox_config(given)
    workers = mailbox_settings.workers(given)
    shares = sharing.shares(config, workers) if workers > 1 else ()
    settings.prepare_data_dir(config.node.data_dir)
    if data_folder.is_a_node_s(config.node, config.mail_path):
        raise ConfigError(
            f"{config.node.data_dir} is the data folder of a node: its history would be kept by the rules of an "
            "archive. Give the mailbox a folder of its own with --data-dir. (If it is a mailbox's, and its mail was "
            f"moved away: make an empty folder {config.mail_path}.)"
        )
    workers_service.refuse_to_leave_out(config, workers)
    settings.prepare_data_dir(config.mail_path)
    for concern in data_folder.concerns(config.node):
        typer.echo(f"p2pchat: {concern}", err=True)
    who = identity.load_or_create(config.node.identity_path)
    announced = mailbox_settings.announced(given.announce, given.called("announce"), who.peer)
    where = {"log_file": log_file, "log_level": given.node.log_level, "link_file": link_file}
    if shares:
        workers_service.run(config, shares, **where)
    else:
        mailbox_service.run(config, who, announced=announced, **where)


mailbox_operator.add_to(app)
