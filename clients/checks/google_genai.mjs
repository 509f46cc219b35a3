// Google's Node SDK, generateContent.
import { GoogleGenAI } from "@google/genai";
import * as told from "./told.mjs";

const client = new GoogleGenAI({ apiKey: told.KEY, httpOptions: { baseUrl: told.GATEWAY, timeout: 120_000 } });
const model = told.MODEL;

await told.tell({
  async chat() {
    const config = { maxOutputTokens: 64, systemInstruction: "Be kind." };
    const answer = await client.models.generateContent({ model, contents: told.HELLO, config });
    told.must(answer.text, answer);
    told.must(answer.usageMetadata, "no usage");
  },
  async stream() {
    const pieces = [];
    let last;
    for await (const chunk of await client.models.generateContentStream({ model, contents: told.HELLO, config: { maxOutputTokens: 64 } })) {
      if (chunk.text) pieces.push(chunk.text);
      last = chunk;
    }
    told.streamed(pieces, pieces.join(""));
    told.must(["STOP", "MAX_TOKENS"].includes(last.candidates[0].finishReason), last);
  },
  async tools() {
    const declared = { name: "get_weather", description: "The weather in a city.", parametersJsonSchema: told.CITY };
    const config = { tools: [{ functionDeclarations: [declared] }] };
    const answer = await client.models.generateContent({ model, contents: told.WEATHER, config });
    const call = answer.functionCalls?.[0];
    told.must(call, answer);
    told.called(call.name, call.args);
    const result = { functionResponse: { id: call.id, name: "get_weather", response: { result: "sunny" } } };
    const contents = [
      { role: "user", parts: [{ text: told.WEATHER }] }, answer.candidates[0].content, { role: "user", parts: [result] },
    ];
    const again = await client.models.generateContent({ model, contents, config });
    told.must(again.text, again);
  },
  async structured() {
    const config = { responseMimeType: "application/json", responseJsonSchema: told.PLACE_SCHEMA, maxOutputTokens: 200 };
    const answer = await client.models.generateContent({ model, contents: told.PLACE, config });
    told.placed(JSON.parse(answer.text));
  },
});
