"""config/kubernaut.yaml has every key with its default and a sentence, because it is written from the model."""

from pathlib import Path

import yaml
from pydantic import BaseModel

from kubernaut.cli.example import example
from kubernaut.settings import Settings, load

FILE = Path(__file__).parents[2] / "config" / "kubernaut.yaml"


def test_the_file_is_what_the_program_prints() -> None:
    assert FILE.read_text("utf-8") == example(), "run: kubernaut config example > config/kubernaut.yaml"


def test_it_says_the_defaults(tmp_path: Path) -> None:
    empty = tmp_path / "kubernaut.yaml"
    empty.write_text("")
    same = tmp_path / "example.yaml"
    same.write_text(example())
    assert load(same) == load(empty)


def test_each_key_stands_in_it_with_a_sentence() -> None:
    lines = [line.strip() for line in example().splitlines()]

    def check(model: type[BaseModel]) -> None:
        for name, field in model.model_fields.items():
            at = [n for n, line in enumerate(lines) if line.lstrip("#- ").startswith(f"{name}:")]
            assert at, name
            assert all(lines[n - 1].startswith("#") for n in at), name
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                check(field.annotation)

    check(Settings)


def test_what_is_commented_out_is_right_when_taken_in(tmp_path: Path) -> None:
    text = example()
    for name in ("tokens_file", "socket", "group", "dir", "settings", "root", "repositories"):
        text = text.replace(f"  # {name}: ", f"  {name}: ")
    text = text.replace("clusters: []\n", "clusters:\n")
    text = "\n".join(
        line.removeprefix("# ")
        if line.startswith(("# - ", "#   ")) and ": " in line and not line.endswith(".")
        else line
        for line in text.splitlines()
    )
    path = tmp_path / "kubernaut.yaml"
    path.write_text(text)
    assert [cluster.name for cluster in load(path).clusters] == ["prod-eu"]
    assert yaml.safe_load(text)["forge"]["repositories"]
