/** A program: the application with an endpoint that fails, asked once; it tells the answer behind its log. */

import { create } from "../src/app.ts";

const app = create(new AbortController().signal);
app.post("/broken/:id", () => {
  throw new Error("no answer");
});
const answer = await app.inject({ method: "POST", url: "/broken/7?key=secret", payload: { text: "x" } });
const metrics = await app.inject("/metrics");
console.log(JSON.stringify({ answer: [answer.statusCode, answer.body], metrics: metrics.body }));
