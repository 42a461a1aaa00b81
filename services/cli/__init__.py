"""The operator's hand: one command a verb, plain files in and out, errors on standard error with exit status 1."""

import sys
from importlib import import_module
from typing import Any

import click

from schemas.errors import FramewatchError
from services.cli import calling

COMMANDS = {
    "up": ("services.cli.up:up", "Run everything on this machine."),
    "status": ("services.cli.status:status", "What is running, and how far behind."),
    "top": ("services.cli.top:top", "What moves and how the pipeline does, as it happens."),
    "doctor": ("services.cli.doctor:doctor", "What is wrong, and how to mend it."),
    "verify": ("services.cli.verify:verify", "Check that nothing was lost or counted twice."),
    "migrate": ("services.cli.migrate:migrate", "Bring the database to this version."),
    "feeds": ("services.cli.feeds:feeds", "Add, list, try and parse feeds."),
    "codebook": ("services.cli.codebook:codebook", "Check, apply and evaluate a codebook."),
    "label": ("services.cli.label:label", "Judge posts, and see how good each frame is."),
    "suggestions": ("services.cli.suggestions:suggestions", "Stories that no frame stands for: adopt or dismiss them."),
    "suggest": ("services.cli.suggestions:suggest", "Look for such stories now."),
    "classify": ("services.cli.classify:classify", "Sort posts into frames, without a database."),
    "replay": ("services.cli.replay:replay", "Send a file of posts through the running pipeline."),
    "detect": ("services.cli.detect:detect", "Find the bursts in a series of counts."),
    "trends": ("services.cli.trends:trends", "A frame over time, also under an old version of its codebook."),
    "alerts": ("services.cli.alerts:alerts", "List and show alerts, silence them, and try rules on stored history."),
    "digest": ("services.cli.digest:digest", "Preview and send the digest."),
    "channels": ("services.cli.channels:channels", "Where alerts and digests go."),
    "tokens": ("services.cli.tokens:tokens", "Who may ask the API what."),
    "why": ("services.cli.why:why", "Why a post got its frames: nearest examples, and the words that carried it."),
    "posts": ("services.cli.posts:posts", "List posts and delete them; give those set aside another chance."),
}
"""Each command is imported when it is called, so that a small one does not wait for a large one's libraries."""


class Commands(click.Group):
    """The table above as a group of commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        found: click.Command = getattr(import_module(module), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The help, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="framewatch", prog_name="framewatch")
def cli() -> None:
    """Framewatch: which story rises, who carries it, since when, with evidence."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; an expected failure is one message on standard error and exit status 1."""
    try:
        cli.main(args=arguments, prog_name=calling.called())
    except FramewatchError as error:
        calling.say(f"framewatch: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
