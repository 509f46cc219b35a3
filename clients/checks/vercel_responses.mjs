// Vercel AI SDK over Responses.
import { createOpenAI } from "@ai-sdk/openai";
import * as told from "./told.mjs";
import { check } from "./vercel.mjs";

await check(createOpenAI({ baseURL: `${told.GATEWAY}/v1`, apiKey: told.KEY }).responses(told.MODEL));
