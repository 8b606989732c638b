"""Settings and users' files as typed models: nothing is ignored, and one kind of message.

A misspelt key is refused with the nearest name; a value of the wrong kind with the file, the
key, the value and what is allowed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from forecast import shelf
from forecast.errors import DataError, ForecastError, unknown_name

#: Lists in TOML, tuples in Python.
type Numbers = Annotated[tuple[float, ...], Field(strict=False)]
type Names = Annotated[tuple[str, ...], Field(strict=False)]
type Pair = Annotated[tuple[float, float], Field(strict=False)]
#: Mean and standard deviation of a normal prior.
type Positive = Annotated[float, Field(gt=0)]
type Share = Annotated[float, Field(ge=0, le=1)]
type Count = Annotated[int, Field(ge=1)]
type Text = Annotated[str, Field(pattern=r"\S")]

#: What is allowed, by the kind of error.
_ALLOWED = {
    "bool_type": "write true or false",
    "dict_type": "write a table",
    "finite_number": "give a number that is not infinite",
    "float_type": "give a number",
    "greater_than": "give a number above {gt:g}",
    "greater_than_equal": "give a number from {ge:g} on",
    "int_from_float": "give a whole number",
    "int_type": "give a whole number",
    "less_than": "give a number below {lt:g}",
    "less_than_equal": "give a number of at most {le:g}",
    "list_type": "give a list",
    "mapping_type": "write a table",
    "model_attributes_type": "write a table",
    "model_type": "write a table",
    "string_pattern_mismatch": "write a text",
    "string_too_short": "write a text",
    "string_type": "give a text",
    "too_long": "give at most {max_length}",
    "too_short": "give at least {min_length}",
    "tuple_type": "give a list",
}


class Settings(BaseModel):
    """Base of all settings and users' files: frozen, strict, no key beyond those declared."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_default=True
    )

    @classmethod
    def of(cls, given: object, where: str) -> Self:
        """Make the settings from a table.

        Parameters
        ----------
        given : mapping
            As read from TOML, or written in Python.
        where : str
            What the table is called in a message, such as the name of its file.

        Returns
        -------
        Settings
            Of the class that it is called on.

        Raises
        ------
        UnknownNameError
            If a key is not known; the message names the nearest one.
        DataError
            If a key is missing or its value is not what it should be.

        Examples
        --------
        >>> class Drawn(Settings):
        ...     draws: Count
        >>> Drawn.of({"draws": 200}, "my.toml").draws
        200
        """
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise _message(cls, error, where) from None

    @classmethod
    def read(cls, path: str | Path, remedy: str = "Give a TOML file.") -> Self:
        """Make the settings from a TOML file.

        Parameters
        ----------
        path : str or Path
            The file.
        remedy : str
            What the message says is to be done where there is no such file.

        Returns
        -------
        Settings
            Of the class that it is called on.

        Raises
        ------
        UnknownNameError
            If a key is not known; the message names the nearest one.
        DataError
            If there is no such file, it is not TOML, or a value is not what it should be.

        Examples
        --------
        >>> Settings.read("there-is-none.toml")
        Traceback (most recent call last):
        forecast.errors.DataError: there-is-none.toml does not exist. Give a TOML file.
        """
        return cls.of(read_toml(path, remedy), Path(path).name)


def read_toml(path: str | Path, remedy: str = "Give a TOML file.") -> dict[str, Any]:
    """Return the content of a TOML file.

    Parameters
    ----------
    path : str or Path
    remedy : str
        What to do if there is no such file.

    Raises
    ------
    DataError
        If there is no such file, or it is not TOML.
    """
    try:
        return shelf.read_toml(Path(path))
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"{path} does not exist. {remedy}") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}). {remedy}") from None
    except RecursionError:
        raise DataError(f"{path} is not TOML: it is nested too deeply.") from None


def _message(kind: type[BaseModel], error: ValidationError, where: str) -> ForecastError:
    """Return our error for the first of pydantic's, unknown keys first."""
    errors = error.errors(include_url=False)
    problem = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    path = problem["loc"]
    inside, key = _place(path[:-1], where), path[-1] if path else ""
    if problem["type"] == "extra_forbidden":
        return unknown_name(f"key in {inside}", key, _keys(kind, path[:-1]))
    if problem["type"] == "missing":
        needed = ", ".join(_keys(kind, path[:-1], needed=True))
        return DataError(f"{inside} lacks {key}. It needs {needed}.")
    value, context = problem["input"], problem.get("ctx", {})
    if problem["type"] == "literal_error":
        allowed = [str(option) for option in _options(kind, path)]
        return unknown_name(f"{key} in {inside}", value, allowed)
    if problem["type"] == "value_error":
        text = str(context["error"])
        return DataError(f"{_named(path, where)} {text}")
    advice = _ALLOWED.get(problem["type"], problem["msg"][:1].lower() + problem["msg"][1:])
    return DataError(f"{_named(path, where)} is {value!r}; {advice.format(**context)}.")


def _named(path: tuple[int | str, ...], where: str) -> str:
    """Return what a value is called: ``half_life in [weights] of ensemble.toml``."""
    if not path:
        return where
    if isinstance(path[-1], int):
        return f"entry {path[-1] + 1} of {_named(path[:-1], where)}"
    return f"{path[-1]} in {_place(path[:-1], where)}"


def _place(path: tuple[int | str, ...], where: str) -> str:
    """Return what a table is called: ``[weights] of ensemble.toml``, ``[[place]] 2 of ...``."""
    if not path:
        return where
    if isinstance(path[-1], int):
        name = ".".join(str(part) for part in path[:-1] if isinstance(part, str))
        return f"[[{name}]] {path[-1] + 1} of {where}"
    return f"[{'.'.join(str(part) for part in path)}] of {where}"


def _models(kind: type[BaseModel], path: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """Return the models that may stand at a place in another."""
    models = [kind]
    for part in path:
        if isinstance(part, int):
            continue
        annotations = [
            _fields(model)[part].annotation for model in models if part in _fields(model)
        ]
        models = [model for annotation in annotations for model in _inside(annotation)] or models
    return models


def _inside(annotation: object) -> list[type[BaseModel]]:
    """Return the models that an annotation mentions."""
    annotation = getattr(annotation, "__value__", annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _inside(part)]


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields by the keys of the file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _keys(kind: type[BaseModel], path: tuple[int | str, ...], *, needed: bool = False) -> list[str]:
    return [
        key
        for model in _models(kind, path)
        for key, field in _fields(model).items()
        if not needed or field.is_required()
    ]


def _options(kind: type[BaseModel], path: tuple[int | str, ...]) -> tuple[object, ...]:
    names = [part for part in path if isinstance(part, str)]
    (model,) = _models(kind, path[: path.index(names[-1])])[:1]
    return _literals(_fields(model)[names[-1]].annotation)


def _literals(annotation: object) -> tuple[object, ...]:
    annotation = getattr(annotation, "__value__", annotation)
    if getattr(annotation, "__origin__", None) is not None and not any(
        get_args(part) or isinstance(part, type) for part in get_args(annotation)
    ):
        return get_args(annotation)
    return tuple(option for part in get_args(annotation) for option in _literals(part))
