"""`publish`: a release loads cold and names its labels rightly; what must be refused is."""

import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path

import datasets
import jsonschema
import mlcroissant as mlc
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from huggingface_hub import metadata_load

from onrecord.cli.app import main
from onrecord.core.errors import BadInput
from onrecord.dataset.features import arrow_schema, value_feature
from onrecord.dataset.publish import release_date
from onrecord.dataset.release import checks
from onrecord.dataset.standoff.standoff import quoting_files, without_text, word_runs
from onrecord.scheme.scheme import load_scheme

PEOPLE = ("campaign=sample", "campaign.origin=people", "released=2026-06-01")


def run(verb: str, folder: Path, *words: str) -> int:
    return main([verb, f"workspace={folder}", *PEOPLE[: 2 + (verb == "publish")], *words])


@pytest.fixture
def built(built_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built_once, tmp_path / "ws"))


@pytest.fixture
def released(published_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published_once, tmp_path / "ws")) / "releases" / "v1.0.0"


def test_a_full_release_loads_cold_in_both_configs(released, tmp_path):
    gold = datasets.load_dataset(str(released), cache_dir=str(tmp_path / "cache"))
    raw = datasets.load_dataset(str(released), "annotations", cache_dir=str(tmp_path / "cache"))
    scheme = load_scheme()
    for loaded in (gold, raw):
        for question in ("speaker", "claim_type", "stance"):
            assert loaded["train"].features[question].names == scheme.questions[question].names
    assert sum(map(len, gold.values())) == 17
    assert {row["annotator"] for row in raw["train"]} == {f"annotator-{n}" for n in (1, 2, 3)}
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=released, check=True)


def test_croissant_validates_and_loads_every_record_set(released):
    dataset = mlc.Dataset(str(released / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    counts = {
        r.id: len(list(dataset.records(record_set=r.id))) for r in dataset.metadata.record_sets
    }
    assert sum(n for name, n in counts.items() if name.startswith("gold/")) == 17
    names = [row["labels/stance/name"] for row in dataset.records(record_set="labels/stance")]
    assert names == ["favor", "against", "neutral", "none"]
    about = json.loads((released / "croissant.json").read_text(encoding="utf-8"))
    assert about["conformsTo"][0] == "http://mlcommons.org/croissant/1.1"
    assert {"rai:dataBiases", "rai:dataLimitations", "rai:dataAnnotationProtocol"} <= set(about)


@pytest.mark.parametrize("damage", ["hash", "column"])
def test_a_croissant_that_lies_of_the_files_is_caught(released, damage):
    path = released / "croissant.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        re.sub(r'"sha256": "[0-9a-f]{64}"', f'"sha256": "{"0" * 64}"', text)
        if damage == "hash" else text.replace('"column": "unanimous"', '"column": "unaminous"'),
        encoding="utf-8",
    )  # fmt: skip
    with pytest.raises(BadInput, match=r"croissant\.json"):
        checks.check_croissant(released)


def test_a_card_in_another_label_order_is_caught(released):
    """`datasets` takes the card's order without a word: the check, not the library, must stop it."""
    card = released / "README.md"
    swapped = card.read_text(encoding="utf-8").replace("'0': favor", "'0': x").replace("'1': against", "'1': favor").replace("'0': x", "'0': against")  # fmt: skip
    card.write_text(swapped, encoding="utf-8")
    loaded = datasets.load_dataset(str(released), cache_dir=str(released.parent / "cache"))
    assert loaded["train"].features["stance"].names[0] == "against"  # permuted in silence
    with pytest.raises(BadInput, match="labels would be permuted"):
        checks.check_label_order(released, {})


def test_a_codebook_in_another_order_is_caught(released):
    path = released / "codebook.json"
    book = json.loads(path.read_text(encoding="utf-8"))
    book["columns"]["gold"]["stance"]["labels"].reverse()
    path.write_text(json.dumps(book), encoding="utf-8")
    with pytest.raises(BadInput, match=r"codebook\.json has none, neutral"):
        checks.check_label_order(released, {})


def test_files_in_two_label_orders_are_caught(released):
    path = released / "gold" / "test.parquet"
    table = pq.read_table(path)
    metadata = {k: v.replace(b'"favor", "against"', b'"against", "favor"') for k, v in table.schema.metadata.items()}  # fmt: skip
    pq.write_table(table.replace_schema_metadata(metadata), path)
    with pytest.raises(BadInput, match="elsewhere against"):
        checks.check_label_order(released, {})


def test_publishing_again_is_nothing_and_other_bytes_are_refused(released, capsys):
    workspace = released.parent.parent
    before = checks.checksums(released)
    assert run("publish", workspace) == 0
    assert "byte for byte the same" in capsys.readouterr().out
    assert run("publish", workspace, "contact=someone@example.org") == 2
    assert "holds other bytes (README.md" in capsys.readouterr().err
    assert run("publish", workspace, "contact=someone@example.org", "bump=true") == 0
    assert "it is kept, trying 1.0.1" in capsys.readouterr().out
    assert checks.checksums(released) == before
    (released / "README.md").write_text("changed", encoding="utf-8")
    assert run("publish", workspace, "bump=true") == 2
    assert "README.md is not as SHA256SUMS says" in capsys.readouterr().err
    assert sorted(p.name for p in released.parent.iterdir()) == ["v1.0.0", "v1.0.1"]


def test_publishing_again_on_another_day_is_nothing(released, monkeypatch, capsys):
    workspace = released.parent.parent
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1893456000")  # 2030
    words = [f"workspace={workspace}", *PEOPLE[:2]]
    assert main(["publish", *words]) == 0
    assert "byte for byte the same" in capsys.readouterr().out
    assert release_date(None, released) == "2026-06-01"
    assert release_date(None, released.parent / "v1.0.1") == "2030-01-01"


def test_a_release_holds_no_times_of_day_and_ids_of_its_own(released):
    rows = pq.read_table(released / "annotations/train.parquet")
    assert not {"created_at", "updated_at"} & set(rows.column_names)
    assert rows["annotation_id"][0].as_py() == f"{rows['sentence_id'][0].as_py()}/annotator-1/main"


def test_the_changelog_names_each_label_that_changed(released):
    workspace = released.parent.parent
    gold = [json.loads(line) for line in (workspace / "gold.jsonl").open(encoding="utf-8")]
    row = next(
        r for r in gold if r["labels"]["stance"] == "favor" and r["sentence_id"].startswith("c1")
    )
    row["labels"]["stance"], row["soft"]["stance"] = "against", {"against": 1.0}
    (workspace / "gold.jsonl").write_text("\n".join(map(json.dumps, gold[:-1])), encoding="utf-8")
    assert run("build", workspace) == 0
    assert run("publish", workspace, "version=1.0.1") == 0
    log = (workspace / "releases/v1.0.1/CHANGELOG.md").read_text(encoding="utf-8")
    assert "0 rows added, 1 removed, 1 labels changed" in log
    assert f"{row['sentence_id']} → making the city's buses free: stance favor → against" in log
    assert log.index("## 1.0.1") < log.index("## 1.0.0")


def test_the_card_names_what_is_to_be_written_and_has_no_commonplace(released):
    card = (released / "README.md").read_text(encoding="utf-8")
    assert "More information needed".lower() not in card.lower()
    assert all(f"`statement.{name}`" in card for name in ("annotators", "consent", "maintenance"))
    assert "Labels describe sentences, not persons" in card
    assert "| Echo | 2 | 0 | 1 | 1 | 4 |" in card
    head = metadata_load(released / "README.md")
    assert head["language"] == ["en"]
    assert head["size_categories"] == ["n<1K"]


@pytest.mark.parametrize("origin", ["machine", "simulated"])
def test_labels_not_made_by_people_are_declared(workspace, origin, capsys):
    rows = [json.loads(line) for line in (workspace / "annotations.jsonl").open(encoding="utf-8")]
    rows[0]["origin"] = origin
    (workspace / "annotations.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert run("build", workspace) == 0
    assert run("publish", workspace) == 2
    assert "campaign says origin: people" in capsys.readouterr().err
    assert run("publish", workspace, f"campaign.origin={origin}") == 0
    card = (workspace / "releases/v1.0.0/README.md").read_text(encoding="utf-8")
    word = {"machine": "machine-made", "simulated": "simulated"}[origin]
    assert f"> **The labels of this dataset are {word}" in card
    assert (
        f"labels-made-by-{origin}"
        in metadata_load(workspace / "releases/v1.0.0" / "README.md")["tags"]
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        pytest.param(["version=1.0"], "expected X.Y.Z", id="version"),
        pytest.param(["kind=half"], "expected full or standoff", id="kind"),
        pytest.param(["campaign.text_license=null"], "needs campaign.text_license", id="text rights"),
        pytest.param(["campaign.labels_license=cc-by-9.0"], "licence 'cc-by-9.0'", id="licence"),
        pytest.param(["campaign.labels_license=CC0-1.0"], "licence 'CC0-1.0'", id="licence case"),
        pytest.param(["campaign.language=xx-yy"], "knows no language 'xx-yy'", id="language"),
        pytest.param(["tasks=[stance-detection]"], "knows no task 'stance-detection'", id="task"),
        pytest.param(["task_ids=[stance]"], "knows no task id 'stance'", id="task id"),
        pytest.param(["annotators_are=friends"], "the Hub knows found, crowdsourced", id="annotators"),
        pytest.param(["released=June"], "expected YYYY-MM-DD", id="date"),
        pytest.param(["to=hub", "repo=a/b"], "needs contact", id="hub without contact"),
        pytest.param(["to=hub", "contact=a@example.org"], "needs repo", id="hub without repo"),
        pytest.param(["to=moon"], "expected hub", id="to"),
        pytest.param(["run=nowhere"], "there is no run.json", id="run"),
    ],
)  # fmt: skip
def test_what_may_not_be_published_is_refused_and_nothing_is_written(
    built, capsys, words, complaint
):
    assert run("publish", built, *words) == 2
    assert complaint in capsys.readouterr().err
    assert not list(built.glob("releases/*"))


def test_a_failed_audit_is_refused(built, capsys):
    audit = json.loads((built / "audit.json").read_text(encoding="utf-8"))
    (built / "audit.json").write_text(json.dumps(audit | {"passed": False}), encoding="utf-8")
    assert run("publish", built) == 2
    assert "the audit failed" in capsys.readouterr().err


def test_a_standoff_release_holds_no_text(standoff_once):
    release = standoff_once / "releases/v1.0.0"
    articles = pq.read_table(standoff_once / "articles.parquet")["text"].to_pylist()
    quoted = set(itertools.chain.from_iterable(map(word_runs, articles)))
    assert not quoting_files((p for p in release.rglob("*") if p.is_file()), quoted)
    everything = b"".join(p.read_bytes() for p in release.glob("*.*") if p.suffix != ".parquet")
    assert b"Riders for a Bus" not in everything  # a name of more than five words
    gold = pa.concat_tables(pq.read_table(p) for p in (release / "gold").iterdir())
    assert not {"text", "context_before", "context_after"} & set(gold.column_names)
    rows = {r["sentence_id"]: r for r in gold.to_pylist()}
    named = next(
        r for r in rows.values() if r["article_id"] == "c1" and r["speaker_start"] is not None
    )
    assert named["speaker_name"] is None
    assert "Ada Quill" in {r["speaker_name"] for r in rows.values()}
    raw = pq.read_table(release / "annotations/train.parquet")
    assert "comment" not in raw.column_names


def test_a_quotation_that_slips_into_a_standoff_release_is_refused(built, capsys):
    leak = "it was said that " + "Nobody at the stop on Mill Street had a ticket to show."
    assert run("publish", built, "kind=standoff", f"statement.curation='{leak}'") == 2
    assert "eight words in a row of the articles are in README.md" in capsys.readouterr().err
    assert not list(built.glob("releases/*"))


def test_a_config_a_target_where_there_are_several(tmp_path):
    table = tmp_path / "rows.jsonl"
    rows = [{"id": str(i), "text": f"Sentence number {i}.", "target": t, "label": lab}
            for i, (t, lab) in enumerate(itertools.product(["The Fare", "Ferries"], ["favor", "against"] * 4))]  # fmt: skip
    table.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert run("build", tmp_path / "ws", "source=rows", f"rows={table}") == 0
    assert run("publish", tmp_path / "ws") == 0
    release = tmp_path / "ws/releases/v1.0.0"
    configs = [c["config_name"] for c in yaml.safe_load((release / "README.md").read_text("utf-8").split("---\n")[1])["configs"]]  # fmt: skip
    assert configs == ["gold", "target-ferries", "target-the-fare"]
    fares = datasets.load_dataset(str(release), "target-the-fare", cache_dir=str(tmp_path / "c"))
    assert {row["target"] for rows in fares.values() for row in rows} == {"The Fare"}
    assert run("publish", tmp_path / "ws", "kind=standoff", "version=2.0.0") == 2


def test_two_licences_are_told_apart(built):
    assert run("publish", built, "campaign.text_license=cc-by-4.0") == 0
    release = built / "releases/v1.0.0"
    card = " ".join((release / "README.md").read_text(encoding="utf-8").split())
    assert "this documentation: cc0-1.0, without warranty. Text of the articles: cc-by-4.0." in card
    head = metadata_load(release / "README.md")
    assert (head["license"], head["license_name"], head["license_link"]) == ("other", "text-cc-by-4.0-labels-cc0-1.0", "LICENSE.md")  # fmt: skip
    croissant = json.loads((release / "croissant.json").read_text(encoding="utf-8"))
    datacite = json.loads((release / "datacite.json").read_text(encoding="utf-8"))
    cff = yaml.safe_load((release / "CITATION.cff").read_text(encoding="utf-8"))
    rights = datacite["data"]["attributes"]["rightsList"]
    assert [r["rights"] for r in rights] == ["Text: CC-BY-4.0", "Labels: CC0-1.0"]
    assert croissant["license"] == [r["rightsUri"] for r in rights]
    assert cff["license"] == ["CC-BY-4.0", "CC0-1.0"]
    assert cff["abstract"].endswith("Text: CC-BY-4.0. Labels: CC0-1.0.")
    licence = (release / "LICENSE.md").read_text(encoding="utf-8")
    assert all(r["rightsUri"] in licence for r in rights)


@pytest.mark.parametrize("creators", ["[]", "[{name: On Record contributors, orcid: 7, age: 3}]"])
def test_creators_are_asked_for(built, capsys, creators):
    assert run("publish", built, f"creators={creators}") == 2
    assert "creators" in capsys.readouterr().err


def test_people_are_cited_by_name_orcid_and_affiliation(built):
    person = '{name: "Quill, Ada", orcid: 0000-0002-1825-0097, affiliation: Larch Hill University}'
    assert run("publish", built, f"creators=[{person}, {{name: Ben Ode}}]") == 0
    release = built / "releases/v1.0.0"
    datacite = json.loads((release / "datacite.json").read_text(encoding="utf-8"))["data"]["attributes"]  # fmt: skip
    cff = yaml.safe_load((release / "CITATION.cff").read_text(encoding="utf-8"))
    orcid = "https://orcid.org/0000-0002-1825-0097"
    assert cff["authors"] == [
        {"family-names": "Quill", "given-names": "Ada", "orcid": orcid, "affiliation": "Larch Hill University"},
        {"family-names": "Ode", "given-names": "Ben"},
    ]  # fmt: skip
    ada = datacite["creators"][0]
    assert (ada["familyName"], ada["nameIdentifiers"][0]["nameIdentifier"]) == ("Quill", orcid)
    schema = json.loads(Path(__file__).with_name("datacite-v4.5.json").read_text(encoding="utf-8"))
    jsonschema.validate(datacite, schema)


def test_guidelines_and_scheme_are_the_ones_followed(released):
    card = (released / "README.md").read_text(encoding="utf-8")
    assert (
        "version 1.0.0 (the file included is" in card
    )  # the annotations followed an earlier version
    assert (
        (released / "guidelines.md")
        .read_text(encoding="utf-8")
        .startswith("# Annotation guidelines")
    )
    assert load_scheme(released).questions["stance"].names == [
        "favor",
        "against",
        "neutral",
        "none",
    ]


def test_citation_files_say_the_same(released):
    cff = yaml.safe_load((released / "CITATION.cff").read_text(encoding="utf-8"))
    datacite = json.loads((released / "datacite.json").read_text(encoding="utf-8"))["data"][
        "attributes"
    ]
    croissant = json.loads((released / "croissant.json").read_text(encoding="utf-8"))
    assert cff["cff-version"] == "1.2.0"
    assert cff["type"] == "dataset"
    assert datacite["schemaVersion"] == "http://datacite.org/schema/kernel-4"
    assert datacite["types"]["resourceTypeGeneral"] == "Dataset"
    assert {cff["title"], datacite["titles"][0]["title"]} == {"On Record: Free buses"}
    assert {cff["version"], datacite["version"], croissant["version"]} == {"1.0.0"}
    assert {cff["license"], datacite["rightsList"][0]["rightsIdentifier"]} == {"CC0-1.0"}
    assert cff["date-released"] == datacite["dates"][0]["date"] == croissant["datePublished"]
    assert datacite["publicationYear"] == "2026"
    entry = (
        "@misc{on-record-sample, title = {{On Record: Free buses}}, author = {{On Record}}, "
        "year = {2026}, version = {1.0.0}, publisher = {On Record}}"
    )
    assert croissant["citeAs"] == entry
    assert entry in (released / "README.md").read_text(encoding="utf-8")


def test_agreement_and_baseline_stand_in_the_card(built, tmp_path):
    question = {
        "alpha": 0.8214,
        "low": 0.7,
        "high": 0.9,
        "n_tasks": 17,
        "with_furniture": {"alpha": 0.9},
    }
    agreement = {"questions": {"stance": question}, "annotators": {}}
    (built / "agreement.json").write_text(json.dumps(agreement), encoding="utf-8")
    trained = ("model=majority", f"run={tmp_path / 'run'}", "allow_small=true")
    assert main(["train", f"workspace={built}", *PEOPLE[:2], *trained]) == 0
    assert run("publish", built, f"run={tmp_path / 'run'}") == 0
    card = (built / "releases/v1.0.0/README.md").read_text(encoding="utf-8")
    assert "| stance | 0.821 [0.700, 0.900] | 17 | 0.900 |" in card
    cv = json.loads((tmp_path / "run/cv.json").read_text(encoding="utf-8"))
    assert f"`majority`, cross-validated by group ({len(cv['folds'])} folds, {cv['n']} rows" in card
    assert f"macro-F1 {cv['macro_f1']:.3f}" in card
    assert main(["build", f"workspace={built}", *PEOPLE[:2], "split=by_outlet"]) == 0
    assert run("publish", built, f"run={tmp_path / 'run'}", "version=1.1.0") == 2


def test_a_long_name_is_left_out_of_a_stand_off_table_whatever_its_question_is_called():
    features = {"who": value_feature("string"), "outlet": value_feature("string")}
    words = "several riders of the old mill line"
    given = pa.table(
        {"who": ["Ann Lee", words, None], "outlet": [words] * 3}, schema=arrow_schema(features)
    )
    tables, kept = without_text({"gold": {"test": given}}, {"gold": features}, ["who"])
    rows = tables["gold"]["test"]
    assert rows["who"].to_pylist() == ["Ann Lee", None, None]
    assert rows["outlet"].to_pylist() == [words] * 3
    assert kept == {"gold": features}
