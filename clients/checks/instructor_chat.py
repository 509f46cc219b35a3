"""instructor over Chat Completions: a structure by a tool call, and by a JSON schema."""

import instructor
import openai
import pydantic
import told

client = openai.OpenAI(base_url=f"{told.GATEWAY}/v1", api_key=told.KEY, max_retries=0, timeout=120)
ASKED = [{"role": "user", "content": told.PLACE}]


class Place(pydantic.BaseModel):
    """A place and how many live there."""

    name: str
    population: int


def _by(mode: instructor.Mode) -> None:
    able = instructor.from_openai(client, mode=mode)
    told.placed(able.chat.completions.create(model=told.MODEL, messages=ASKED, response_model=Place, max_retries=0, max_tokens=200))


told.tell(tools=lambda: _by(instructor.Mode.TOOLS), structured=lambda: _by(instructor.Mode.JSON_SCHEMA))
