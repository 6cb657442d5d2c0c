"""Articles from every format, what is refused and how, and what a second run changes."""

import csv
import gzip
import io
import json
import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onrecord.cli.app import main
from onrecord.core.errors import BadInput
from onrecord.core.records import text_sha256
from onrecord.corpus.readers import formats, sources
from onrecord.corpus.readers.articles import article
from onrecord.corpus.readers.decode import decode

TEXT = "The council met on Monday.\r\n\r\n“Buses are free,” said Ana Roe. Nobody disagreed.\n"
PAGE = """<html><head><title>Council votes | The Ledger</title><meta property="og:site_name" content="The Ledger">
<meta name="author" content="Nora Fitch"><meta property="article:published_time" content="2025-10-08T10:00:00Z">
</head><body><nav>Home News Sport</nav><article><h1>Council votes</h1><p>The council voted on Tuesday night to make
the buses free for two years, officials said.</p><p>“We did it,” said Roe. The measure passed 6-3 after four
hours of debate in the chamber.</p></article><footer>Copyright</footer></body></html>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_bytes(TEXT.encode())
    return tmp_path / "in"


def ingest(folder: Path, *words: str) -> int:
    return main(["ingest", f"articles={folder}", f"workspace={folder.parent / 'ws'}", *words])


def articles(folder: Path) -> dict[str, dict]:
    rows = pq.read_table(folder.parent / "ws/articles.parquet").to_pylist()
    return {row["article_id"]: row for row in rows}


def jsonl(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_text_is_kept_exactly(folder):
    (folder / "b.txt").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert ingest(folder) == 0
    found = articles(folder)
    assert found["a"]["text"] == TEXT
    assert found["b"]["text"] == "\ufeff" + TEXT
    assert found["a"]["sha256"] == text_sha256(TEXT)
    assert found["a"]["source_file"] == "a.txt"


def test_every_format_gives_the_same_article(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    row = {
        "id": "r",
        "text": TEXT,
        "title": "T",
        "outlet": "O",
        "published": "2025-01-02",
        "url": "u",
        "byline": "B",
    }
    as_csv = io.StringIO(newline="")
    writer = csv.DictWriter(as_csv, row)
    writer.writeheader()
    writer.writerow({**row, "id": "csv"})
    (folder / "t.csv").write_bytes(as_csv.getvalue().encode())
    (folder / "t.jsonl").write_bytes(jsonl({**row, "id": "jsonl"}))
    (folder / "t.jsonl.gz").write_bytes(gzip.compress(jsonl({**row, "id": "gz"})))
    pq.write_table(pa.Table.from_pylist([{**row, "id": "parquet"}]), folder / "t.parquet")
    assert ingest(folder) == 0
    found = articles(folder)
    assert set(found) == {"csv", "jsonl", "gz", "parquet"}
    shown = [{k: r[k] for k in (*row, "furniture", "sha256") if k != "id"} for r in found.values()]
    assert all(one == shown[0] for one in shown)
    assert shown[0]["text"] == TEXT


def test_a_page_gives_its_article_and_what_it_says_of_it(folder):
    (folder / "p.html").write_text(PAGE)
    (folder / "q.html").write_text(
        "<div><p>" + PAGE.split("<p>")[1] + "<p>unclosed <b>and"
    )  # broken
    assert ingest(folder) == 0
    found = articles(folder)
    page = found["p"]
    assert (page["title"], page["outlet"], page["published"]) == (
        "Council votes",
        "The Ledger",
        "2025-10-08",
    )
    assert "free for two years" in page["text"]
    assert "Home News" not in page["text"]
    assert "free for two years" in found["q"]["text"]
    metadata = pq.read_schema(folder.parent / "ws/articles.parquet").metadata
    assert metadata[b"html_extractor"].startswith(b"trafilatura 2")


def test_columns_are_mapped(folder):
    (folder / "t.jsonl").write_bytes(jsonl({"key": "k", "body": TEXT, "paper": "P"}))
    assert ingest(folder, "columns.id=key", "columns.text=body", "columns.outlet=paper") == 0
    assert articles(folder)["k"]["outlet"] == "P"


@pytest.mark.parametrize("beside", [True, False])
def test_a_sidecar_tells_what_is_known(folder, beside):
    sidecar = (folder.parent if beside else folder) / "articles.csv"
    sidecar.write_text(
        "file,outlet,title,byline,published,url\na.txt,The Paper,=1+1,Ana Roe,2025-02-03,u\n"
    )
    assert ingest(folder) == 0
    row = articles(folder)["a"]
    said = ("The Paper", "=1+1", "Ana Roe", "2025-02-03", "u")  # a formula is text
    assert tuple(row[k] for k in ("outlet", "title", "byline", "published", "url")) == said


def test_the_text_shows_title_byline_and_date(folder):
    text = "Buses will be free\nBy Ana Roe\nOct. 8, 2025\n\n" + TEXT
    (folder / "h.txt").write_text(text)
    assert ingest(folder) == 0
    row = articles(folder)["h"]
    assert (row["title"], row["byline"], row["published"]) == (
        "Buses will be free",
        "Ana Roe",
        "2025-10-08",
    )


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_another_encoding_is_guessed_and_said(folder, capsys, encoding):
    text = "“Café” – naïve façade, coöperation: the mayor said it’s déjà vu. " * 20
    (folder / "e.txt").write_bytes(text.encode(encoding))
    assert ingest(folder) == 0
    assert articles(folder)["e"]["text"] == text
    said = capsys.readouterr().out
    assert "not UTF-8, encoding guessed: e.txt (" in said


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", TEXT)
    return packed.getvalue()


BAD = [
    ("empty.txt", b"", "found an empty file"),
    ("blank.txt", b" \n\t\n", "found an empty file"),
    ("bom.txt", b"\xef\xbb\xbf\n", "found an empty one"),
    ("zip.txt", zipped(), "found a zip archive"),
    ("binary.txt", bytes(range(256)) * 50, "expected text, found"),
    ("nul.txt", b"text\x00" * 50, "control characters"),
    ("onenul.jsonl", jsonl({"id": "n", "text": "a\x00b"}), "found a NUL at 1"),
    ("title.jsonl", b'{"id": "s", "text": "a", "title": "\\ud800"}\n', "found a lone surrogate (U+D800) at 0 of the title"),
    ("spa ce.txt", TEXT.encode(), "expected an article id"),
    ("path.jsonl", jsonl({"id": "../../etc/passwd", "text": TEXT}), "expected an article id"),
    ("dots.jsonl", jsonl({"id": "..", "text": TEXT}), "expected an article id"),
    ("surrogate.jsonl", b'{"id": "s", "text": "a \\ud800 b"}\n', "a lone surrogate (U+D800) at 2"),
    ("noid.jsonl", jsonl({"text": TEXT}), "the column 'id' (columns.id), found the columns text"),
    ("notext.csv", b"id,body\n1,x\n", "the column 'text' (columns.text), found the columns id, body"),
    ("names.csv", b'id,"te\nxt"\n1,x\n', "found the columns id, te\\nxt"),
    ("list.jsonl", b"[1]\n", "line 1: expected a JSON object, found list"),
    ("cut.jsonl", b'{"id": "a\n', "line 1: expected a JSON object"),
    ("deep.jsonl", b"[" * 100_000 + b"\n", "line 1: expected a JSON object"),
    ("notzipped.jsonl.gz", b"not gzip", "expected jsonl.gz"),
    ("half.jsonl.gz", gzip.compress(jsonl({"id": "h", "text": TEXT}) * 99, mtime=0)[:60], "expected jsonl.gz"),
    ("no.parquet", b"PAR1 no", "expected parquet"),
    ("none.html", b"<html><body></body></html>", "found no text that is one"),
    ("twin/a.txt", TEXT.encode(), "found a second article with the id 'a'; the first is in a.txt"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "complaint"), [pytest.param(*b, id=b[0]) for b in BAD])
def test_bad_files_are_named_and_the_good_go_on_where_asked(folder, capsys, name, data, complaint):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    assert ingest(folder) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert name.split("/")[-1] in error
    assert error.count("\n") == 1
    assert not (folder.parent / "ws").exists()
    assert ingest(folder, "on_error=skip") == 0
    assert list(articles(folder)) == ["a"]
    rejected = (folder.parent / "ws/rejected.jsonl").read_text("utf-8").splitlines()
    assert [complaint in json.loads(line)["error"] for line in rejected] == [True]
    assert complaint in capsys.readouterr().out


def read(path: Path, name: str = "t") -> list:
    """Return the raw articles of a whole file; what was refused as its one line."""
    columns = {field: field for field in formats.FIELDS}
    parts = [part for (part,) in sources.work_units([(path, name)], 1)]
    raws = [r for p in parts for r in formats.raw_articles(p, columns, text_mb=1, file_mb=9)]
    return [str(raw) if isinstance(raw, BadInput) else raw for raw in raws]


def as_parquet(**columns: list) -> bytes:
    packed = io.BytesIO()
    pq.write_table(pa.table(columns), packed, compression="zstd")
    return packed.getvalue()


FAR = pa.array([2**62], pa.timestamp("us"))
REFUSED = [
    ("t.jsonl", jsonl({"id": "a", "text": {"body": "b"}}), "text in the column 'text' (columns.text), found an object"),
    ("t.jsonl", jsonl({"id": True, "text": "b"}), "text in the column 'id' (columns.id), found True"),
    ("t.jsonl", b'{"id": NaN, "text": "b"}', "a value in the column 'id'"),
    ("t.jsonl", b"", "found a table without rows"),
    ("t.jsonl.gz", gzip.compress(b"\n\n", mtime=0), "found a table without rows"),
    ("t.jsonl", zipped(), "t: expected text, found a zip archive"),
    ("t.jsonl", '{"id": "a"}'.encode("utf-16"), "t: expected lines in UTF-8, found utf-16"),
    ("t.csv", b"id,text\n", "found a table without rows"),
    ("t.csv", b"id;text\na;b\nc;d\n", "expected the column 'id' (columns.id), found the columns id;text"),
    ("t.csv", b"id,text,text\na,b,c\n", "found 'text' twice"),
    ("t.csv", b"id,text\na,Yes, we can\n", "t, line 2: expected 2 cells, found 3"),
    ("t.csv", b'id,text\na,"b\n', "unexpected end of data; no more was read"),
    ("t.csv", b"id,text\na," + b"b" * (2 << 20) + b"\n", "field limit"),
    ("t.parquet", as_parquet(id=["a"], text=["b" * (32 << 20)]), "packed 100 to 1"),
    ("t.parquet", as_parquet(id=["a"], text=["b"], other=["c"]).replace(b"other", b"oth\xf4r"), "expected parquet"),
    ("t.parquet", as_parquet(id=["a"], text=[b"b"]), "found bytes"),
    ("t.parquet", as_parquet(id=["a"], text=[["b"]]), "found ['b']"),
    ("t.parquet", as_parquet(id=["a"], body=["b"]), "the column 'text' (columns.text), found the columns id, body"),
    ("t.parquet", as_parquet(id=["a"], text=["b"], published=FAR), "t, row 1 or one soon after"),
    ("t.html", b"<p>x" * 100_001, "expected a page of at most 100000 tags, found 100001"),
    ("t.txt", b"{\\rtf1 b}", "found an RTF document"),
    ("t.txt", b"\n<!DOCTYPE html><p>b", "found a page: give it as .html"),
    ("t.txt", "\xa0\u3000\u200b\n".encode(), None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "complaint"), REFUSED)
def test_what_is_no_article_is_named_in_a_line(tmp_path, name, data, complaint):
    (tmp_path / name).write_bytes(data)
    (said,) = read(tmp_path / name)
    if complaint:
        assert complaint in said
    else:
        with pytest.raises(BadInput, match="found an empty one"):
            article(said, {}, name)


def test_names_that_are_no_files_are_refused(folder, capsys):
    (folder / "gone.txt").symlink_to(folder / "nowhere")
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "x.txt").mkdir()
    (folder / os.fsdecode(b"odd\n\xff.txt")).write_text(TEXT)
    assert ingest(folder, "on_error=skip") == 0
    assert list(articles(folder)) == ["a"]
    said = capsys.readouterr().out
    assert "left out 4" in said
    for line in ("gone.txt: expected txt, found No such", "loop.csv: expected csv, found Too many",
                 "pipe.jsonl: expected a file, found a pipe", "odd\\n\\udcff.txt: expected an article id"):  # fmt: skip
        assert line in said


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b'<meta charset="iso-8859-1"> \x93No\x94', "“No”", "cp1252"),
        (b'<meta charset="utf-8"> caf\xe9', "café", "cp1252"),
        (b'<meta charset="punycode"> caf\xe9', "café", "cp1252"),
        ("The “council” met.".encode("utf-16-le"), "The “council” met.", "utf-16-le"),
        ("The “council” met.".encode("utf-32"), "The “council” met.", "utf-32"),
        ("“A” – “B”".encode() + b" \xff", "“A” – “B” \ufffd", "utf-8 but for some bytes"),
    ],
)
def test_encodings_are_guessed_as_browsers_do(data, text, encoding):
    found, named = decode(data, "x")
    assert found.endswith(text)
    assert named == encoding


def test_a_lone_surrogate_in_bytes_is_named():
    with pytest.raises(BadInput, match="x: expected text, found a lone surrogate at byte 4"):
        decode(b"The \xed\xa0\x80 council", "x")


def test_lines_and_tables_in_another_encoding_are_read_and_said(tmp_path):
    (tmp_path / "t.jsonl").write_bytes('{"id": "l", "text": "é"}\n'.encode("latin-1"))
    (tmp_path / "t.csv").write_bytes('id,text\nl,"é"\n'.encode("utf-16"))
    for name, encoding in (("t.jsonl", "cp1252"), ("t.csv", "utf-16")):
        (raw,) = read(tmp_path / name)
        assert (raw["text"], raw["encoding"]) == ("é", encoding)


def test_names_and_numbers_in_tables(tmp_path):
    row = {"id": 7, "text": "b", "byline": ["Ana Roe", "Lee Po"], "title": float("nan")}
    (tmp_path / "t.jsonl").write_bytes(jsonl(row))
    (raw,) = read(tmp_path / "t.jsonl")
    assert (raw["id"], raw["byline"], raw["title"]) == ("7", "Ana Roe, Lee Po", None)


def test_what_is_too_large_is_refused_unread(folder, capsys):
    with (folder / "big.txt").open("wb") as file:
        file.truncate(200 << 20)
    (folder / "wide.jsonl").write_bytes(
        b'"' + b"x" * (2 << 20) + b'"\n' + jsonl({"id": "w", "text": TEXT})
    )
    assert ingest(folder, "on_error=skip", "limits.text_mb=1") == 0
    assert set(articles(folder)) == {"a", "w"}
    said = capsys.readouterr().out
    assert "big.txt: expected at most 1 MB, found 200 MB" in said
    assert "wide.jsonl, line 1: expected at most 1 MB, found a longer line" in said


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("nowhere", "found nothing there"),
        ("other", "found 1 files of other kinds"),
        ("*.txt", "found nothing"),
    ],
)
def test_no_articles(tmp_path, capsys, source, complaint):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/x.doc").write_text("x")
    assert main(["ingest", f"articles={tmp_path / source}", f"workspace={tmp_path / 'ws'}"]) == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "ws").exists()


def test_a_folder_with_brackets_and_a_glob(tmp_path, capsys):
    folder = tmp_path / "old [2019], part 1"
    sidecar = tmp_path / "known [2019].csv"
    sidecar.write_text("file,title\ndeep/a.txt,Known\n")
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/a.txt").write_text(TEXT)
    workspace = f"workspace={tmp_path / 'ws'}"
    assert main(["ingest", f"articles={folder}", f"sidecar={sidecar}", workspace]) == 0
    assert articles(folder)["a"]["title"] == "Known"
    (tmp_path / "articles.csv").write_text(
        f'file,title\n"{folder.name}/deep/a.txt",Known\nb.txt,No\n'
    )
    capsys.readouterr()
    assert main(["ingest", f"articles={tmp_path}/*/**/*.txt", workspace]) == 0
    assert articles(folder)["a"]["text"] == TEXT
    assert articles(folder)["a"]["title"] == "Known"
    assert "articles.csv: 1 rows name no article: b.txt" in capsys.readouterr().out
    assert main(["ingest", f"articles={tmp_path}/**.txt", workspace]) == 2


def test_a_second_run_changes_nothing_and_reads_nothing(folder, capsys, monkeypatch):
    (folder / "b.txt").write_text("Another article. It is not the same.\n")
    assert ingest(folder) == 0
    before = (folder.parent / "ws/articles.parquet").read_bytes()
    capsys.readouterr()
    assert ingest(folder, "workers=2", "shard_size=1") == 0
    assert "nothing changed" in capsys.readouterr().out
    assert ingest(folder) == 0
    monkeypatch.setattr("onrecord.corpus.ingest_shards.raw_articles", None)
    assert ingest(folder) == 0
    assert not list((folder.parent / "ws").glob(".articles*"))
    assert (folder.parent / "ws/articles.parquet").read_bytes() == before


def test_changes_are_told_and_a_changed_text_needs_a_yes(folder, capsys):
    (folder / "b.txt").write_text("Another article. It is not the same.\n")
    assert ingest(folder) == 0
    note = {
        "annotation_id": "1",
        "sentence_id": "a:0-26",
        "text_sha256": text_sha256(TEXT[:26]),
        "status": "submitted",
    }
    rows = [
        note,
        {
            **note,
            "annotation_id": "2",
            "sentence_id": "b:0-16",
            "text_sha256": text_sha256("Another article."),
        },
    ]
    (folder.parent / "ws/annotations.jsonl").write_bytes(jsonl(*rows))
    (folder / "c.txt").write_text("A third one, which is new.")
    (folder / "a.txt").write_bytes(
        TEXT.replace("Nobody", "Somebody").encode()
    )  # not the annotated sentence
    (folder / "b.txt").unlink()
    before = (folder.parent / "ws/articles.parquet").read_bytes()
    assert ingest(folder) == 2
    error = capsys.readouterr().err
    assert (
        "1 known articles are of changed text: a; 1 known articles are gone: b (1 annotations)"
        in error
    )
    assert "1 annotations would be orphaned" in error
    assert (folder.parent / "ws/articles.parquet").read_bytes() == before
    assert ingest(folder, "accept_changes=true") == 0
    assert "1 new, 1 changed, 1 gone, 0 as before" in capsys.readouterr().out
    assert set(articles(folder)) == {"a", "c"}


def test_an_added_article_leaves_the_others_as_they_are(folder):
    (folder / "b.txt").write_text("Another article. It is not the same.\n")

    def sentences() -> list[dict]:
        assert ingest(folder) == 0
        assert main(["segment", f"workspace={folder.parent / 'ws'}"]) == 0
        return pq.read_table(folder.parent / "ws/sentences.parquet").to_pylist()

    before, old = sentences(), articles(folder)
    (folder / "aa.txt").write_text("A third one, which is new. It stands between them.")
    after = sentences()
    assert [row for row in after if row["article_id"] != "aa"] == before
    assert {name: row for name, row in articles(folder).items() if name != "aa"} == old


def test_a_gzip_bomb_is_refused(folder, capsys):
    bomb = gzip.compress(jsonl({"id": "g", "text": TEXT}) + (b" " * 99 + b"\n") * 400_000)
    (folder / "g.jsonl.gz").write_bytes(bomb)
    assert ingest(folder, "on_error=skip", "limits.text_mb=0.01") == 0
    assert "packed 100 to 1" in capsys.readouterr().out


def test_an_interrupted_run_goes_on(folder, monkeypatch):
    """What a piece of work left is used again: its articles are not read a second time."""
    for name in "bcd":
        (folder / f"{name}.txt").write_text(f"Article {name} says this. And that.")
    read, seen = formats.raw_articles, []

    def spy(part, *rest, **more):
        seen.append(part.name)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return read(part, *rest, **more)

    monkeypatch.setattr("onrecord.corpus.ingest_shards.raw_articles", spy)
    assert ingest(folder, "shard_size=1") == 130
    assert ingest(folder, "shard_size=1") == 0
    assert seen == ["a.txt", "b.txt", "c.txt", "c.txt", "d.txt"]
    assert set(articles(folder)) == set("abcd")


def test_a_large_table_is_read_in_ranges(folder, monkeypatch):
    monkeypatch.setattr(sources, "RANGE", 100)
    rows = [
        {"id": f"r{i}", "text": f"Article {i} é says this. " * (i % 4)}
        for i in range(1, 60)
        if i % 4
    ]
    (folder / "t.jsonl").write_bytes(jsonl(*rows))
    (folder / "a.txt").unlink()
    assert ingest(folder) == 0
    assert list(articles(folder)) == [row["id"] for row in rows]
    pq.write_table(pa.Table.from_pylist(rows), folder / "t.parquet", row_group_size=7)
    (folder / "t.jsonl").unlink()
    assert ingest(folder, "shard_size=10") == 0
    assert list(articles(folder)) == [row["id"] for row in rows]


def test_unknown_settings_are_refused(folder, capsys):
    assert ingest(folder, "on_error=ignore") == 2
    assert "expected skip or fail" in capsys.readouterr().err
    assert ingest(folder, "workers=0") == 2
    assert ingest(folder, f"sidecar={folder / 'none.csv'}") == 2
    (folder / "articles.csv").write_text("file,title\na.txt,One\na.txt,Two\n")
    assert ingest(folder) == 2
    assert "line 3: expected each file once" in capsys.readouterr().err
    (folder / "articles.csv").write_text("name,title\n")
    assert ingest(folder) == 2
    assert "expected the column 'file' (columns.file), found name, title" in capsys.readouterr().err


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"\x00\x01\x02\xff" * 99])
def test_bytes_of_no_encoding(data):
    with pytest.raises(BadInput, match="expected text"):
        decode(data, "x.txt")
