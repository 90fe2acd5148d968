"""Recipes: what people want of their pictures, as commands, each shown on a photograph."""

from dataclasses import dataclass

from mpi_stage.operations.spelling.grammar import Step, parse


@dataclass(frozen=True)
class Recipe:
    """One wish, and the pipeline that fulfils it.

    Attributes
    ----------
    name: of its picture.
    title: the wish.
    photograph: what the picture begins with, by its name among the photographs.
    pipeline: in the spelling of the command line.
    source, target: the files' names in the command; the suffix of the output gives its format.
    text: what to know of it, as Markdown.
    options: more of the command.

    """

    name: str
    title: str
    photograph: str
    pipeline: str
    source: str
    target: str
    text: str
    options: str = ""

    @property
    def steps(self) -> list[Step]:
        """The steps of the pipeline."""
        return parse(self.pipeline)

    @property
    def command(self) -> str:
        """The command, as one line."""
        more = f" {self.options}" if self.options else ""
        return f"halorow run {self.source} {self.target} {self.pipeline}{more}"


RECIPES = (
    Recipe(
        "clean",
        "Take the grain out of a scan, and leave its edges sharp",
        "speckled",
        "median:size=3 bilateral:diameter=7",
        "scan.tif",
        "clean.tif",
        "`median` removes single bad pixels, `bilateral` smooths what is nearly the same. Where time is no "
        "object, `denoise` keeps more of fine textures.",
    ),
    Recipe(
        "outline",
        "Outline what is in a picture",
        "astronaut",
        "canny:low=50,high=150,sigma=1.4",
        "photo.jpg",
        "outline.png",
        "A weak edge is kept where it hangs together with a strong one, through the whole picture and "
        "however many ranks it crosses. Lower numbers find more.",
    ),
    Recipe(
        "light",
        "Even out uneven light",
        "coins",
        "tophat:size=41 stretch:low=1,high=99.5",
        "plate.tif",
        "even.tif",
        "`tophat` takes away all that is wider than its size: choose that a little larger than the largest "
        "thing you look for. Dark things on a light ground take `blackhat`.",
    ),
    Recipe(
        "count",
        "Count light objects",
        "coins",
        "tophat:size=41 gaussian:sigma=2 otsu opening:size=5 label",
        "plate.tif",
        "numbered.tif",
        "Each object gets a number, the same on any number of machines; `--json` prints the report, which "
        "has their count. The picture shows each number as a colour.",
        "--json",
    ),
    Recipe(
        "fog",
        "Bring back contrast and true colours",
        "dull",
        "white_balance stretch:low=0.5,high=99.5 saturation:factor=1.2 unsharp",
        "old.tif",
        "lively.tif",
        "This is the preset `@photo`; `halorow ops` lists the others.",
    ),
    Recipe(
        "small",
        "Shrink pictures for the web, and sharpen them again",
        "cat",
        "resize:scale=0.5,interpolation=area unsharp:sigma=0.8,amount=0.7",
        "large.tif",
        "small.webp",
        "`area` averages what becomes one pixel, so that nothing flickers or aliases.",
        "--quality 85",
    ),
    Recipe(
        "map",
        "Make a large scene quick to look at in a map viewer",
        "coffee",
        "gaussian:sigma=0.8",
        "scene.tif",
        "scene.cog.tif",
        "The suffix `.cog.tif` makes a Cloud-Optimized GeoTIFF, with its smaller levels made in the same "
        "pass; the georeference is kept. `.ome.zarr` does the same for microscopes.",
    ),
)


def page() -> str:
    """Return the page of recipes, as Markdown."""
    parts = [_HEAD, *(_entry(recipe) for recipe in RECIPES), _MANY]
    return "\n\n".join(parts) + "\n"


def _entry(recipe: Recipe) -> str:
    picture = f"![Before and after: {recipe.title.lower()}](recipes/{recipe.name}.jpg)"
    return f"## {recipe.title}\n\n{picture}\n\n```\n{recipe.command}\n```\n\n{recipe.text}"


_HEAD = """# Recipes

Made by `make docs` from `docs/generate/recipes.py`; do not edit.

What people come for, as commands that work as they stand; on the page the same pipelines go into the box for
text, and in Python into `client.submit(…)`. Left is before, right is after. Any picture works: photographs,
scans of gigapixels, 16 bits, floats, many bands, where the operations take them
([all operations](operations/README.md))."""

_MANY = """## The same for a thousand pictures

```
halorow up                                                    # in one terminal, or a cluster
halorow submit scans/*.tif --steps "@clean" --wait            # in another
```

Each picture is a job: the queue survives restarts, lost machines cost time alone. `halorow result ID --output
FILE` fetches a result, and `--output gs://bucket/results/` puts them all where they are wanted."""
