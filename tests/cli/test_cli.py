"""The command line: one clear line and the right exit status for whatever is wrong; new campaigns."""

import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from onrecord import ROOT, __main__
from onrecord.cli.app import main
from onrecord.cli.commands import ALIASES, COMMANDS, WHOLE, Command
from onrecord.cli.model_files import full_model_key
from onrecord.cli.overrides import check_campaign, groups, quoted
from onrecord.core.errors import BadInput

Run = Callable[..., subprocess.CompletedProcess[str]]
CONF = ROOT / "conf"
GROUPS = sorted({f.parent.relative_to(CONF).as_posix() for f in CONF.rglob("*.yaml")} - {"."})


@pytest.fixture
def folder(tmp_path, onrecord):
    """A folder with a campaign of its own."""
    done = onrecord(
        "init", "campaign=buses", 'target=free "buses" (all) [of them]: now', cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    return tmp_path


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_shows_its_config(capsys, command):
    assert main([command, "--cfg", "job"]) == 0
    assert ": " in capsys.readouterr().out
    assert main([command, "--help"]) == 0
    page = capsys.readouterr().out
    assert page.startswith(f"onrecord {command} [key=value ...]: ")
    assert "defaults" not in page.splitlines()
    assert "override /" not in page


@pytest.mark.parametrize("group", GROUPS)
def test_every_file_of_a_group_composes(group):
    command = next((name for name in COMMANDS if group in groups(name)), "train")
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        for file in (CONF / group).glob("*.yaml"):
            choice = full_model_key(f"{group}={file.stem}")
            assert compose(config_name=command, overrides=[choice]) is not None


def test_every_command_has_a_config_and_every_config_a_command():
    assert {f.stem for f in CONF.glob("*.yaml")} - {"base"} == set(COMMANDS)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["trian"], "there is no command 'trian'; did you mean 'train'?"),
        (["validate", "artcles=x"], "there is no key 'artcles'; did you mean 'articles'?"),
        (["validate", "campaign.target.nme=x"], "did you mean 'campaign.target.name'?"),
        (["validate", "campaign=smple"], "campaign=smple: expected one of 287g, sample; did you mean 'sample'?"),
        (["validate", "artcles=x", "--cfg", "job"], "there is no key 'artcles'; did you mean 'articles'?"),
        (["validate", "articles"], "expected key=value, found 'articles'"),
        (["init", "campaign=../up", "target=x"], "campaign=../up: expected letters"),
        (["init", "campaign=x"], "expected campaign=NAME target="),
        (["make", "until=biuld"], "did you mean 'build'?"),
        (["segment", "workspace=nowhere"], "run `onrecord ingest` first"),
        (["segment", "workers=many"], "workers: expected a number above 0, found 'many'"),
        (["agree", "minimum=high"], "minimum: expected a number, found 'high'"),
        (["curve", "repeats=0"], "repeats: expected a number above 0, found 0"),
        (["make", "workspace="], "workspace: expected a folder, found ''"),
        (["agree", "seed=abc"], "seed: expected a number, found 'abc'"),
        (["validate", "campaign.send_furniture=maybe"], "expected true or false, found 'maybe'"),
        (["validate", "campaign.origin=aliens"], "expected one of people, machine, simulated, found 'aliens'"),
        (["plan", "annotators=ada"], "expected a number or a list of pseudonyms, found 'ada'"),
        (["plan", "--hlep"], "there is no flag '--hlep'; did you mean '--help'?"),
        (["serve", "port=80x"], "port: expected a number from 1 to 65535, found '80x'"),
        (["ingest", "articles="], "articles: expected a folder, a file or a glob, found nothing"),
        (["ingest", "articles=/dev/null/x"], "found nothing there"),
        (["collect", "from=nofile.json"], "is not there yet: run"),
        (["build", "source=rows", "rows=none.csv", "workspace=/dev/null"], "found no such file"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_2(tmp_path, monkeypatch, capsys, words, line):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1, said
    assert not list(tmp_path.iterdir()), "something was written"


def test_bare_onrecord_lists_the_commands(tmp_path, onrecord_process):
    shown = onrecord_process(cwd=tmp_path)
    assert shown.returncode == 0
    assert all(f"\n  {name} " in shown.stdout for name in COMMANDS)
    assert "No steps have been run here" in shown.stdout


def test_a_new_campaign_is_sound_and_its_words_are_kept(folder, onrecord):
    checked = onrecord("validate", "campaign=buses", cwd=folder)
    assert checked.returncode == 0, checked.stderr
    assert 'free "buses" (all) [of them]: now' in checked.stdout


def test_a_campaign_is_not_written_over(folder, onrecord):
    before = (folder / "conf/campaign/buses.yaml").read_bytes()
    assert onrecord("init", "campaign=buses", "target=other", cwd=folder).returncode == 2
    assert (folder / "conf/campaign/buses.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("wrong", "right", "line"),
    [("targt", "target", 4), ("  aliass", "  aliases", 8), ("orign", "origin", 10)],
)
def test_a_misspelt_key_in_a_file_is_met_with_its_line(folder, onrecord, wrong, right, line):
    config = folder / "conf/campaign/buses.yaml"
    config.write_text(config.read_text().replace(f"\n{right}:", f"\n{wrong}:"))
    done = onrecord("validate", "campaign=buses", cwd=folder)
    assert done.returncode == 2
    assert (
        f"line {line}: there is no key {wrong.strip()!r}; did you mean {right.strip()!r}?"
        in done.stderr
    )


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("origin: people", "origin: aliens", "line 10: origin: expected one of people, machine, simulated"),
        ("release: standoff", "release: both", "line 13: release: expected one of full, standoff"),
        ("  aliases: []", "  aliases: bus", "line 8: aliases: expected a list, such as [one, two], found 'bus'"),
        ("name: buses\n", "name: a/b\n", "line 2: name: expected letters"),
        ("# send_furniture: true", "send_furniture: maybe", "line 16: send_furniture: expected true or false"),
        ("# text_license: cc-by-4.0", "split: bygroup", "line 14: split: expected one of by_date, by_group"),
        ("language: en", "- a", "expected YAML, found"),
    ],
)  # fmt: skip
def test_a_value_of_no_use_in_a_file_is_met_with_its_line(
    folder, monkeypatch, capsys, right, wrong, line
):
    monkeypatch.chdir(folder)
    config = folder / "conf/campaign/buses.yaml"
    assert right in config.read_text()
    config.write_text(config.read_text().replace(right, wrong, 1))
    assert main(["validate", "campaign=buses"]) == 2
    assert line in capsys.readouterr().err


def test_guideline_tables_follow_a_changed_scheme(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    scheme, guidelines = folder / "annotation/scheme.yaml", folder / "annotation/guidelines.md"
    scheme.write_text(scheme.read_text().replace("favor: {hotkey: a", "for_it: {hotkey: i"))
    assert main(["validate", "campaign=buses"]) == 0
    assert (
        "its tables are not the scheme's (`onrecord scheme render=true` writes them)"
        in capsys.readouterr().out
    )
    assert main(["scheme", "campaign=buses", "render=true"]) == 0
    assert "| for_it | i |" in guidelines.read_text()
    assert main(["validate", "campaign=buses"]) == 0
    assert "not the scheme's" not in capsys.readouterr().out
    guidelines.write_text(guidelines.read_text() + "<!-- scheme: tone -->\n<!-- end -->\n")
    assert main(["validate", "campaign=buses"]) == 2
    assert (
        "it has the table of a question 'tone', which the scheme lacks" in capsys.readouterr().err
    )


def test_a_misspelt_key_of_a_further_target_is_met_with_its_line(tmp_path):
    path = tmp_path / "buses.yaml"
    path.write_text("name: buses\ntargets:\n  fees:\n    name: higher fees\n    aliasses: []\n")
    with pytest.raises(
        BadInput, match=r"line 5: there is no key 'aliasses'; did you mean 'aliases'"
    ):
        check_campaign(path)


def test_a_scheme_with_a_clash_is_met_before_anyone_annotates(folder, onrecord):
    scheme = folder / "annotation/scheme.yaml"
    scheme.write_text(scheme.read_text().replace("favor: {hotkey: a", "favor: {hotkey: s"))
    done = onrecord("validate", "campaign=buses", cwd=folder)
    assert done.returncode == 2
    assert "hotkey 's' stands for both stance=favor and stance=against" in done.stderr


@pytest.mark.parametrize("name", ["a [b] c", "it's", "x,y", "a=b", "ends\\", "{curly}", "$money"])
def test_any_path_can_be_given(name):
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        cfg = compose(config_name="demo", overrides=[quoted(f"articles=/tmp/{name}")])
    assert Path(cfg.articles) == Path("/tmp") / name


def test_a_former_name_of_a_command_still_works_with_a_line(monkeypatch, capsys):
    monkeypatch.setitem(ALIASES, "check", "validate")
    assert main(["check"]) == 0
    shown = capsys.readouterr()
    assert shown.err == "onrecord check: this command is now `validate`; the old name will go\n"
    assert shown.out.startswith("scheme ")


def test_no_former_name_is_a_command():
    assert not ALIASES.keys() & COMMANDS.keys()
    assert set(ALIASES.values()) <= COMMANDS.keys()


@pytest.fixture
def added(tmp_path, monkeypatch):
    """Return a function that adds a command by a row of the table, a config and a module, none of them the project's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "conf").mkdir()
    base = "defaults:\n  - base\n  - campaign: sample\n  - _self_\n\nlouder: false\n"
    (tmp_path / "conf/greet.yaml").write_text(base)

    def add(body: str) -> None:
        (tmp_path / "greeting.py").write_text(f"def main(cfg):\n    {body}\n")
        monkeypatch.setitem(COMMANDS, "greet", Command("greet", "greeting", WHOLE, "say hello"))
        monkeypatch.delitem(sys.modules, "greeting", raising=False)

    return add


def test_a_command_is_added_by_a_row_a_config_and_a_module(added, capsys):
    added("print('HELLO' if cfg.louder else 'hello', cfg.campaign.name)")
    assert main(["greet", "louder=true"]) == 0
    assert capsys.readouterr().out == "HELLO sample\n"
    assert main([]) == 0
    assert "  greet        say hello" in capsys.readouterr().out


@pytest.mark.parametrize("writable", [True, False], ids=["cache", "no cache"])
def test_an_unforeseen_error_is_one_line_and_exit_3(added, tmp_path, monkeypatch, capsys, writable):
    added("raise OSError('of no number')")
    (tmp_path / "cache").mkdir() if writable else (tmp_path / "cache").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "argv", ["onrecord", "greet"])
    assert __main__.main() == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    line = re.fullmatch(
        r"onrecord: unforeseen error, please report it: OSError: of no number \(traceback in (.+)\)\n",
        shown.err,
    )
    assert line, shown.err
    file = Path(line[1])
    assert file.is_relative_to(tmp_path) is writable
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "greeting.py" in file.read_text()
    file.unlink()
