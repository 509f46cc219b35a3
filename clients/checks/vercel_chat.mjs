// Vercel AI SDK over Chat Completions.
import { createOpenAI } from "@ai-sdk/openai";
import * as told from "./told.mjs";
import { check } from "./vercel.mjs";

await check(createOpenAI({ baseURL: `${told.GATEWAY}/v1`, apiKey: told.KEY }).chat(told.MODEL));
