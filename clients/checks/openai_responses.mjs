// OpenAI's Node SDK, Responses.
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import * as told from "./told.mjs";

const client = new OpenAI({ baseURL: `${told.GATEWAY}/v1`, apiKey: told.KEY, maxRetries: 0, timeout: 120_000 });
const model = told.MODEL;

await told.tell({
  async chat() {
    const answer = await client.responses.create({ model, input: told.HELLO, instructions: "Be kind.", max_output_tokens: 64 });
    told.must(answer.output_text, answer);
    told.must(answer.model === model, `the model ${answer.model}`);
    told.must(answer.usage, "no usage");
  },
  async stream() {
    const pieces = [];
    const stream = client.responses.stream({ model, input: told.HELLO, max_output_tokens: 64 });
    stream.on("response.output_text.delta", (event) => pieces.push(event.delta));
    const final = await stream.finalResponse();
    told.streamed(pieces, final.output_text);
    told.must(final.usage, "no usage at the end");
  },
  async tools() {
    const tools = [{ type: "function", name: "get_weather", description: "The weather in a city.", parameters: told.CITY, strict: true }];
    const answer = await client.responses.create({ model, input: told.WEATHER, tools });
    const call = answer.output.find((item) => item.type === "function_call");
    told.must(call, answer.output);
    told.called(call.name, JSON.parse(call.arguments));
    const result = { type: "function_call_output", call_id: call.call_id, output: "sunny" };
    const input = [{ role: "user", content: told.WEATHER }, ...answer.output, result];
    const again = await client.responses.create({ model, input, tools });
    told.must(again.output_text, again);
  },
  async structured() {
    const place = z.object({ name: z.string(), population: z.number().int() });
    const text = { format: zodTextFormat(place, "Place") };
    const answer = await client.responses.parse({ model, input: told.PLACE, text, max_output_tokens: 200 });
    told.placed(answer.output_parsed);
  },
});
