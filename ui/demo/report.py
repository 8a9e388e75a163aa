"""`report.html` of the headless demo: each scene with its pictures, checks and time. One file, no script."""

from html import escape
from pathlib import Path

from ui.demo.play import Scene

_STYLE = """
body { font: 16px/1.6 "Noto Sans CJK TC", sans-serif; background: #faf6ee; color: #1f2430; margin: 2rem auto;
       max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 2rem; } h2 { font-size: 1.3rem; margin-top: 2.5rem; border-top: 1px solid #e0d8c8; padding-top: 1rem; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
img { height: 26rem; border: 1px solid #d8d0c0; border-radius: .5rem; background: #fff; }
.well { color: #0d5c56; } .failed { color: #a3261b; font-weight: bold; }
li { margin: 0; }
"""


def write(out: Path, scenes: list[Scene], seconds: float) -> Path:
    """Writes `report.html` into `out` and returns its path."""
    failed = sum(bool(scene.failure) for scene in scenes)
    verdict = "全部完成 · all went well" if not failed else f"{failed} 幕失敗 · {failed} failed"
    parts = [
        "<!doctype html><html lang='zh-Hant'><meta charset='utf-8'><title>Shelfpoint demo</title>",
        f"<style>{_STYLE}</style><h1>Shelfpoint 示範 · demo</h1>",
        f"<p class='{'failed' if failed else 'well'}'>{len(scenes)} 幕 · scenes, {seconds:.1f} s: {verdict}</p>",
    ]
    for number, scene in enumerate(scenes, 1):
        parts.append(f"<h2>{number}. {escape(scene.title)} <small>{scene.seconds:.1f} s</small></h2>")
        if scene.failure:
            parts.append(f"<p class='failed'>{escape(scene.failure)}</p>")
        parts.append("<ul>" + "".join(f"<li>{escape(note)}</li>" for note in scene.notes) + "</ul>")
        images = "".join(
            f"<img src='{escape(str(path.relative_to(out)))}' alt='{escape(path.stem)}'>" for path in scene.pictures
        )
        parts.append(f"<div class='pictures'>{images}</div>")
    path = out / "report.html"
    path.write_text("\n".join(parts), encoding="utf-8")
    return path
