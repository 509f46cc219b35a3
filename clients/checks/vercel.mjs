// What the checks of the Vercel AI SDK do with a language model: words, a stream, a tool loop, a typed output.
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import * as told from "./told.mjs";

export async function check(model) {
  const asked = { model, maxRetries: 0, maxOutputTokens: 200 };
  await told.tell({
    async chat() {
      told.must((await generateText({ ...asked, prompt: told.HELLO })).text, "an empty text");
    },
    async stream() {
      const pieces = [];
      let failure;
      const result = streamText({ ...asked, prompt: told.HELLO, onError: ({ error }) => { failure = error; } });
      for await (const piece of result.textStream) pieces.push(piece);
      if (failure) throw failure;
      told.streamed(pieces, await result.text);
    },
    async tools() {
      const cities = [];
      const execute = async ({ city }) => {
        cities.push(city);
        return "sunny";
      };
      const offered = tool({ description: "The weather in a city.", inputSchema: z.object({ city: z.string() }), execute });
      const answer = await generateText({ ...asked, prompt: told.WEATHER, tools: { get_weather: offered }, stopWhen: stepCountIs(3) });
      told.must(cities.length === 1 && cities[0], `${cities.length} calls`);
      told.must(answer.text, "an empty text after the tool");
    },
    async structured() {
      const place = z.object({ name: z.string(), population: z.number().int() });
      const answer = await generateText({ ...asked, prompt: told.PLACE, output: Output.object({ schema: place }) });
      told.placed(answer.output);
    },
  });
}
