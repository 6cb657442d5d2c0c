"""A campaign of any size, made from words drawn by a seed: for measuring what sends and collects it."""

import random
from pathlib import Path

from onrecord.core.files import write_jsonl
from onrecord.core.records import ARTICLES, SENTENCES, SPEAKERS, PlanRow, sentence_id, text_sha256
from onrecord.core.tables import write_parquet

WORDS = [
    "the",
    "bus",
    "fare",
    "city",
    "council",
    "vote",
    "plan",
    "money",
    "rider",
    "driver",
    "route",
    "week",
    "cost",
    "free",
    "line",
    "stop",
]


def make_campaign(
    workspace: Path, *, sentences: int, annotators: int = 1, per_article: int = 25, seed: int = 1
) -> list[PlanRow]:
    """Write articles, sentences, speakers and plan of ``sentences`` times ``annotators`` tasks; return the plan."""
    draw = random.Random(seed)
    articles, spans = [], []
    for number in range(-(-sentences // per_article)):
        lines = [
            " ".join(draw.choices(WORDS, k=22)).capitalize() + f" {number}-{line}."
            for line in range(min(per_article, sentences - number * per_article))
        ]
        name, text, start = f"made-{number:05}", "\n".join(lines), 0
        empty = dict.fromkeys(ARTICLES.names)
        articles.append(
            {**empty, "article_id": name, "outlet": "Made", "title": f"Made {number}", "text": text,
             "sha256": text_sha256(text), "group_id": name, "furniture": [], "source_file": name}
        )  # fmt: skip
        for index, line in enumerate(lines):
            end = start + len(line)
            spans.append(
                {"sentence_id": sentence_id(name, start, end), "article_id": name, "group_id": name,
                 "index": index, "paragraph": index, "start": start, "end": end, "text": line,
                 "furniture": None}
            )  # fmt: skip
            start = end + 1
    speakers = [
        {**dict.fromkeys(SPEAKERS.names), "sentence_id": row["sentence_id"], "speaker": "author",
         "attribution": "none", "candidates": [], "confidence": 0.5}
        for row in spans
    ]  # fmt: skip
    plan = [
        PlanRow(
            task_id=f"{annotator:02x}{position:014x}", sentence_id=row["sentence_id"],
            annotator=f"annotator-{annotator}", round="main", position=position, purpose="main",
            suggestion_shown=True, inclusion_probability=1.0,
        )
        for annotator in range(1, annotators + 1)
        for position, row in enumerate(spans, 1)
    ]  # fmt: skip
    write_parquet(workspace / "articles.parquet", articles, ARTICLES)
    write_parquet(workspace / "sentences.parquet", spans, SENTENCES)
    write_parquet(workspace / "speakers.parquet", speakers, SPEAKERS)
    write_jsonl(workspace / "plan.jsonl", plan)
    return plan
