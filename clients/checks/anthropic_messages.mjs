// Anthropic's Node SDK, Messages.
import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";
import * as told from "./told.mjs";

const client = new Anthropic({ baseURL: told.GATEWAY, apiKey: told.KEY, maxRetries: 0, timeout: 120_000 });
const model = told.MODEL;
const hello = [{ role: "user", content: told.HELLO }];

await told.tell({
  async chat() {
    const answer = await client.messages.create({ model, max_tokens: 64, system: "Be kind.", messages: hello });
    told.must(answer.content[0].text, answer);
    told.must(answer.model === model, `the model ${answer.model}`);
  },
  async stream() {
    const pieces = [];
    const stream = client.messages.stream({ model, max_tokens: 64, messages: hello });
    stream.on("text", (delta) => pieces.push(delta));
    const final = await stream.finalMessage();
    told.streamed(pieces, final.content[0].text);
    told.must(["end_turn", "max_tokens"].includes(final.stop_reason), `the stop reason ${final.stop_reason}`);
  },
  async tools() {
    const asked = [{ role: "user", content: told.WEATHER }];
    const tools = [{ name: "get_weather", description: "The weather in a city.", input_schema: told.CITY }];
    const answer = await client.messages.create({ model, max_tokens: 200, messages: asked, tools });
    const call = answer.content.find((block) => block.type === "tool_use");
    told.must(call, answer.content);
    told.called(call.name, call.input);
    const result = { type: "tool_result", tool_use_id: call.id, content: "sunny" };
    const messages = [...asked, { role: "assistant", content: answer.content }, { role: "user", content: [result] }];
    const again = await client.messages.create({ model, max_tokens: 200, messages, tools });
    told.must(again.content[0].text, again);
  },
  async structured() {
    const place = z.object({ name: z.string(), population: z.number().int() });
    const messages = [{ role: "user", content: told.PLACE }];
    const output_config = { format: zodOutputFormat(place) };
    const answer = await client.messages.parse({ model, max_tokens: 200, messages, output_config });
    told.placed(answer.parsed_output);
  },
});
