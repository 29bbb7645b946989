"""Results as JSON lines: one object for each run, appended when it is done."""
import json


FILE = "results.jsonl"


def key(result):
    """What makes two runs the same: the later one counts."""
    return tuple(result.get(name) for name in ("mode", "engine", "target", "rep", "budget"))


def load(folders):
    """All results of the folders; later folders and later lines win."""
    found = {}
    for folder in folders:
        path = folder / FILE
        if not path.exists():
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            try:
                result = json.loads(line)
            except ValueError:
                # The last line of a run that was killed while it wrote.
                print(f"bench: {path}:{number} is damaged and left out")
                continue
            found[key(result)] = result
    return list(found.values())


def add(folder, result):
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / FILE, "a") as file:
        file.write(json.dumps(result, separators=(",", ":")) + "\n")


def remove(folder, is_old):
    """Takes out what is measured anew."""
    path = folder / FILE
    if path.exists():
        lines = path.read_text().splitlines()
        kept = [line for line in lines if not is_old(json.loads(line))]
        path.write_text("".join(f"{line}\n" for line in kept))
