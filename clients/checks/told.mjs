// What every check in JavaScript shares: where the gateway is, what is asked, and how one line of JSON tells what came of each feature.
export const GATEWAY = process.env.TIERLINE_GATEWAY;
export const MODEL = process.env.TIERLINE_MODEL;
export const KEY = "none-needed";
export const HELLO = "Say hello to me in a sentence of ten words or more.";
export const WEATHER = "What is the weather in Paris? Use the tool.";
export const PLACE = "What is the capital of France? Answer with its name and its population.";
export const CITY = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
export const PLACE_SCHEMA = {
  type: "object",
  properties: { name: { type: "string" }, population: { type: "integer" } },
  required: ["name", "population"],
  additionalProperties: false,
};

export function must(truth, otherwise) {
  if (!truth) throw new Error(typeof otherwise === "string" ? otherwise : JSON.stringify(otherwise));
}

// A stream of several pieces that join to the whole answer.
export function streamed(pieces, whole) {
  must(pieces.length > 1, `a stream of ${pieces.length} pieces of text`);
  must(pieces.join("") === whole, `the pieces '${pieces.join("")}' are not the whole '${whole}'`);
  must(whole.trim(), "an empty text");
}

// A call of the tool that was offered, with its argument.
export function called(name, args) {
  must(name === "get_weather", `the tool '${name}' was called`);
  must(typeof args?.city === "string" && args.city, `arguments ${JSON.stringify(args)}`);
}

// A structure with a name and a whole number of people.
export function placed(found) {
  must(typeof found?.name === "string" && found.name, `the name in ${JSON.stringify(found)}`);
  must(Number.isInteger(found.population), `the population in ${JSON.stringify(found)}`);
}

// Run the wanted checks and print what came of each: ok, or the first lines of what went wrong.
export async function tell(checks) {
  const results = {};
  for (const feature of process.env.TIERLINE_FEATURES.split(",")) {
    try {
      await checks[feature]();
      results[feature] = "ok";
    } catch (error) {
      results[feature] = `${error.name}: ${String(error.message).trim().split("\n").slice(0, 4).join(" ")}`.slice(0, 600);
    }
  }
  console.log(JSON.stringify(results));
  process.exit(0);
}
