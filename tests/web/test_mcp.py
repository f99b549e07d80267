"""The endpoints as tools over MCP, with the extra "mcp" installed."""

import asyncio
import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorizer import PRESETS, Colorizer, Photo
from colorizer.adjust.adjustments import Adjustments
from tests.helpers.browser import started
from tests.helpers.scenes import changed, scene

mcp = pytest.importorskip("mcp", reason="needs the extra: uv pip install -e '.[mcp]'")

ENDPOINTS = {"colorize", "colorize_with", "alternatives", "model_info", "batch"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: Path) -> Iterator[str]:
    settings = {"COLORIZER_CHECKPOINT": str(tiny_checkpoint), "GRADIO_MCP_SERVER": "1"}
    with started(tmp_path_factory.mktemp("app"), **settings) as address:
        yield address


def ask(address: str, tool: str = "", **arguments: object) -> Any:
    """The tools there are, or what one of them answers."""
    from mcp.client.streamable_http import streamable_http_client

    async def talk() -> Any:
        url = f"{address}gradio_api/mcp/"
        async with (
            streamable_http_client(url) as (reading, writing, _),
            mcp.ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            if tool:
                return await session.call_tool(tool, arguments)
            return (await session.list_tools()).tools

    return asyncio.run(talk())


def data_uri(photo: Photo) -> str:
    encoded = io.BytesIO()
    photo.to_image().save(encoded, "PNG")
    return f"data:image/png;base64,{base64.b64encode(encoded.getvalue()).decode()}"


def test_tools_are_the_documented_endpoints_and_typed(address: str) -> None:
    tools = {tool.name: tool for tool in ask(address)}
    assert set(tools) == ENDPOINTS
    for tool in tools.values():
        assert len(tool.description) > 20
        for name, kind in tool.inputSchema["properties"].items():
            assert kind.keys() & {"type", "enum", "oneOf"}, (tool.name, name)
            assert kind["description"], (tool.name, name)
    colorize, other = tools["colorize"].inputSchema, tools["colorize_with"].inputSchema
    assert colorize["required"] == ["photo"]
    assert colorize["properties"]["photo"]["type"] == "string"
    assert colorize["properties"]["preset"]["enum"] == list(PRESETS)
    hint = other["properties"]["hints"]["oneOf"][1]["items"]["properties"]
    assert {kind["type"] for kind in hint.pop("reach")["oneOf"]} == {"number", "null"}
    assert {name: kind["type"] for name, kind in hint.items()} == {
        "x": "number",
        "y": "number",
        "color": "string",
        "radius": "number",
    }
    settings = other["properties"]["adjustments"]["oneOf"][1]["properties"]
    assert settings == {name: {"type": "number"} for name in vars(Adjustments())}


def test_a_tool_answers(address: str, tiny_colorizer: Colorizer) -> None:
    answer = ask(address, "model_info")
    assert not answer.isError
    assert tiny_colorizer.checkpoint.sha256 in answer.content[0].text


def test_a_photo_comes_back(address: str, tmp_path: Path) -> None:
    """Given as some clients do, in the address itself."""
    data = data_uri(Photo(np.array(Image.linear_gradient("L"))[:, :, None]))
    answer = ask(address, "colorize", photo=data, format="PNG")
    assert not answer.isError, answer.content
    with Image.open(io.BytesIO(base64.b64decode(answer.content[0].data))) as image:
        assert (image.size, image.mode) == ((256, 256), "RGB")
    assert "_color.png" in answer.content[1].text


def test_the_colors_of_another_picture(address: str) -> None:
    pixels = scene(120, 160)
    gray, edited = (data_uri(photo) for photo in (Photo(pixels).to_gray(), Photo(changed(pixels))))
    answer = ask(address, "colorize_with", photo=gray, color_source=edited, format="PNG")
    assert not answer.isError, answer.content
    made = Photo.open(io.BytesIO(base64.b64decode(answer.content[0].data))).pixels.astype(float)
    off = np.diff(made, axis=2) - np.diff(pixels.astype(float), axis=2)
    assert np.median(np.linalg.norm(off, axis=2)[20:-20, 20:-20]) < 12


def test_what_can_not_be_used_gets_a_sentence(address: str) -> None:
    answer = ask(address, "model_info", model="nobody")
    assert answer.isError
    assert "A name looks like user/repo" in answer.content[0].text
