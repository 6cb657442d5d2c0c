"""The table of commands: from it come dispatch, the overview, ``--help``, ``make``, each step's state and the docs.

To add a command, add a row here and ``conf/NAME.yaml``.
"""

from dataclasses import dataclass

from onrecord.core.workspace import Workspace, WorkspaceFile


@dataclass(frozen=True)
class Command:
    """One command: the module whose ``main(cfg)`` it runs, its job, and the workspace files it reads and writes.

    A command that is a ``step`` is run by ``make``, in the order of the table: it is stale when its settings,
    a file that it reads or one that it writes has changed since. ``aliases`` are its former names.
    """

    name: str
    module: str
    job: str
    help: str
    reads: tuple[WorkspaceFile, ...] = ()
    writes: tuple[WorkspaceFile, ...] = ()
    step: bool = False
    aliases: tuple[str, ...] = ()


CAMPAIGN = "Run an annotation campaign"
EXPERIMENT = "Run training experiments"
PUBLISH = "Publish the dataset"
WHOLE = "The whole way"

_TABLE = (
    Command("init", "onrecord.cli.init", CAMPAIGN, 'start a campaign here: campaign=NAME target="…"'),
    Command("validate", "onrecord.cli.validate", CAMPAIGN, "check a campaign before anyone annotates"),
    Command(
        "ingest", "onrecord.corpus.ingest", CAMPAIGN, "read articles: txt, html, jsonl, csv, parquet",
        (Workspace.source_articles,), (Workspace.articles,), step=True,
    ),
    Command(
        "segment", "onrecord.corpus.segment", CAMPAIGN, "split articles into sentences, offsets exact",
        (Workspace.articles,), (Workspace.sentences,), step=True,
    ),
    Command(
        "attribute", "onrecord.corpus.attribute", CAMPAIGN, "suggest who speaks in each sentence",
        (Workspace.articles, Workspace.sentences), (Workspace.speakers,), step=True,
    ),
    Command(
        "plan", "onrecord.campaign.plan", CAMPAIGN, "assign sentences to annotators",
        (Workspace.sentences, Workspace.speakers), (Workspace.plan,), step=True,
    ),
    Command(
        "serve", "onrecord.campaign.serve", CAMPAIGN, "start Label Studio (stop=true ends it)",
        (), (Workspace.labelstudio,),
    ),
    Command(
        "launch", "onrecord.campaign.launch", CAMPAIGN, "create the projects and tasks of the plan",
        (Workspace.plan,), (Workspace.launched,), step=True,
    ),
    Command(
        "status", "onrecord.campaign.status", CAMPAIGN, "show progress per annotator and agreement so far",
        (Workspace.launched,), (Workspace.status_page,),
    ),
    Command(
        "collect", "onrecord.campaign.collect", CAMPAIGN, "fetch the annotations, losing none",
        (Workspace.launched,), (Workspace.annotations,), step=True,
    ),
    Command(
        "scheme", "onrecord.scheme.migrations", CAMPAIGN, "show what changed between two versions of the scheme",
        (Workspace.annotations,),
    ),
    Command(
        "agree", "onrecord.campaign.agree", CAMPAIGN, "measure agreement with intervals; annotator reliability",
        (Workspace.annotations, Workspace.sentences), (Workspace.agreement, Workspace.agreement_page), step=True,
    ),
    Command(
        "adjudicate", "onrecord.campaign.adjudicate", CAMPAIGN, "decide gold and settle disagreements",
        (Workspace.annotations, Workspace.sentences), (Workspace.gold,), step=True,
    ),
    Command("backup", "onrecord.campaign.backup", CAMPAIGN, "write the campaign with its server's database into an archive"),
    Command("restore", "onrecord.campaign.restore", CAMPAIGN, "make a lost workspace again: from=ARCHIVE"),
    Command(
        "view", "onrecord.cli.view", CAMPAIGN, "show each article with speakers and stances coloured",
        (Workspace.articles, Workspace.sentences, Workspace.gold), (Workspace.articles_page,),
    ),
    Command(
        "build", "onrecord.dataset.build", EXPERIMENT, "build a dataset whose splits do not leak",
        (Workspace.gold, Workspace.annotations, Workspace.sentences, Workspace.speakers),
        (Workspace.dataset,), step=True,
    ),
    Command(
        "train", "onrecord.experiment.train", EXPERIMENT, "fit a model, cross-validated by group",
        (Workspace.dataset,),
    ),
    Command(
        "evaluate", "onrecord.experiment.evaluate", EXPERIMENT, "score a run with intervals and write its report",
        (Workspace.dataset,),
    ),
    Command("compare", "onrecord.experiment.compare", EXPERIMENT, "compare runs side by side: runs=A,B"),
    Command(
        "curve", "onrecord.experiment.curve", EXPERIMENT, "predict what more labelled sentences would bring",
        (Workspace.dataset,), (Workspace.curve, Workspace.curve_plot),
    ),
    Command(
        "predict", "onrecord.experiment.predict", EXPERIMENT, "label all sentences by a trained model",
        (Workspace.articles, Workspace.sentences, Workspace.speakers),
        (Workspace.predictions, Workspace.predictions_source),
    ),
    Command(
        "estimate", "onrecord.experiment.estimate", EXPERIMENT, "shares, differences and trends, corrected for model error",
        (Workspace.predictions, Workspace.gold, Workspace.plan),
        (Workspace.estimates, Workspace.estimates_table, Workspace.estimates_page, Workspace.estimates_design),
    ),
    Command(
        "label_errors", "onrecord.experiment.label_errors", EXPERIMENT, "list gold labels that are likely errors",
        (Workspace.dataset,),
        (Workspace.label_errors, Workspace.label_errors_plan, Workspace.label_errors_page),
        aliases=("suspects",),
    ),
    Command("reproduce", "onrecord.experiment.reproduce", EXPERIMENT, "run a committed study again: study=DIR"),
    Command(
        "publish", "onrecord.dataset.publish", PUBLISH, "write a release: full, or without the text",
        (Workspace.dataset, Workspace.audit, Workspace.agreement), (Workspace.releases,),
    ),
    Command(
        "rehydrate", "onrecord.dataset.rehydrate", PUBLISH, "put the text back into a stand-off release",
        (Workspace.source_articles,), (Workspace.rehydration,),
    ),
    Command("make", "onrecord.cli.make", WHOLE, "run the steps that are stale, as far as until=COMMAND"),
    Command("demo", "onrecord.cli.demo", WHOLE, "run all steps on a campaign that comes with labels"),
)  # fmt: skip

COMMANDS = {command.name: command for command in _TABLE}
STEPS = tuple(command for command in _TABLE if command.step)
ALIASES = {alias: command.name for command in _TABLE for alias in command.aliases}
