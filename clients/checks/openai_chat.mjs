// OpenAI's Node SDK, Chat Completions.
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import * as told from "./told.mjs";

const client = new OpenAI({ baseURL: `${told.GATEWAY}/v1`, apiKey: told.KEY, maxRetries: 0, timeout: 120_000 });
const model = told.MODEL;
const hello = [{ role: "user", content: told.HELLO }];

await told.tell({
  async chat() {
    const answer = await client.chat.completions.create({ model, messages: hello, max_tokens: 64 });
    told.must(answer.choices[0].message.content, answer);
    told.must(answer.model === model, `the model ${answer.model}`);
    told.must(answer.usage, "no usage");
  },
  async stream() {
    const pieces = [];
    const stream = client.chat.completions.stream({ model, messages: hello, max_tokens: 64, stream_options: { include_usage: true } });
    stream.on("content", (delta) => pieces.push(delta));
    const final = await stream.finalChatCompletion();
    told.streamed(pieces, final.choices[0].message.content);
    told.must(final.usage, "no usage at the end");
  },
  async tools() {
    const asked = [{ role: "user", content: told.WEATHER }];
    const tools = [{ type: "function", function: { name: "get_weather", description: "The weather in a city.", parameters: told.CITY } }];
    const answer = await client.chat.completions.create({ model, messages: asked, tools });
    const message = answer.choices[0].message;
    const call = message.tool_calls[0];
    told.called(call.function.name, JSON.parse(call.function.arguments));
    const messages = [...asked, message, { role: "tool", tool_call_id: call.id, content: "sunny" }];
    const again = await client.chat.completions.create({ model, messages, tools });
    told.must(again.choices[0].message.content, again);
  },
  async structured() {
    const place = z.object({ name: z.string(), population: z.number().int() });
    const messages = [{ role: "user", content: told.PLACE }];
    const answer = await client.chat.completions.parse({
      model, messages, max_tokens: 200, response_format: zodResponseFormat(place, "Place"),
    });
    told.placed(answer.choices[0].message.parsed);
  },
});
