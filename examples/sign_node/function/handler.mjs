// Post on a user's behalf without seeing a token: Tripod's function sign makes the header.

import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";

const API = process.env.X_API ?? "https://api.x.com";
const { TRIPOD_PREFIX: prefix, TRIPOD_PROVIDER: provider = "x" } = process.env;
const lambda = new LambdaClient();

/** Post { user_id, text }; returns the post's { id }, or the { error } to tell. */
export async function handler({ user_id, text }) {
  if (typeof user_id !== "string" || typeof text !== "string") return { error: "user_id and text must be strings" };
  const url = `${API}/2/tweets`;
  const signed = await sign({ provider, user_id, method: "POST", url });
  if (signed.code) return { error: `${signed.code}: ${signed.detail}` };
  const answer = await fetch(url, {
    method: "POST",
    headers: { Authorization: signed.authorization, "Content-Type": "application/json" },
    body: JSON.stringify({ text }), // JSON is not signed
    redirect: "error", // another address needs a signature of its own
    signal: AbortSignal.timeout(5000), // milliseconds
  });
  if (answer.status === 401) return { error: "X no longer accepts the tokens: ask the user to sign in again" };
  return answer.ok ? { id: (await answer.json()).data.id } : { error: `X says ${answer.status}` };
}

async function sign(request) {
  const told = await lambda.send(new InvokeCommand({ FunctionName: `${prefix}-sign`, Payload: JSON.stringify(request) }));
  if (told.FunctionError) throw new Error("sign died or ran out of time: call again");
  return JSON.parse(Buffer.from(told.Payload).toString());
}
