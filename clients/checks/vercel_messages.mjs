// Vercel AI SDK over Anthropic Messages.
import { createAnthropic } from "@ai-sdk/anthropic";
import * as told from "./told.mjs";
import { check } from "./vercel.mjs";

await check(createAnthropic({ baseURL: `${told.GATEWAY}/v1`, apiKey: told.KEY })(told.MODEL));
