// Post on a user's behalf, with the tokens that Tripod keeps, signed by npm's oauth-1.0a.

import { createHmac } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import OAuth from "oauth-1.0a";
import { credentials, NotConnected, reportRefused } from "./tokens.mjs";

const API = process.env.X_API ?? "https://api.x.com";
const PROVIDER = process.env.TRIPOD_PROVIDER ?? "x";

/** Post { user_id, text }; returns the post's { id }, or the { error } to tell. */
export async function handler({ user_id: userId, text }) {
  if (typeof userId !== "string" || typeof text !== "string") return { error: "user_id and text must be strings" };
  try {
    const { answer, keys } = await postJson(userId, `${API}/2/tweets`, { text });
    if (answer.status === 401) {
      await reportRefused(PROVIDER, userId, keys.token.key);
      return { error: "X no longer accepts the tokens: ask the user to sign in again" };
    }
    return answer.ok ? { id: (await answer.json()).data.id } : { error: `X says ${answer.status}` };
  } catch (error) {
    if (error instanceof NotConnected) return { error: error.message };
    throw error;
  }
}

/** Return the Authorization header of { method, url }, with a form in `data`. Any other body is not signed. */
export function authorization(request, { consumer, token }) {
  const hash_function = (base, key) => createHmac("sha1", key).update(base).digest("base64");
  const oauth = new OAuth({ consumer, signature_method: "HMAC-SHA1", hash_function });
  return oauth.toHeader(oauth.authorize(request, token)).Authorization;
}

/** Return the answer, and the keys that the request was signed with. */
async function postJson(userId, url, body) {
  const known = await credentials(PROVIDER, userId);
  const answer = await send(url, body, known);
  if (answer.status !== 401) return { answer, keys: known };
  const current = await credentials(PROVIDER, userId, { fresh: true }); // X's API v2 never says why: has either changed?
  return { answer: isDeepStrictEqual(current, known) ? answer : await send(url, body, current), keys: current };
}

function send(url, body, keys) {
  return fetch(url, {
    method: "POST",
    headers: { Authorization: authorization({ method: "POST", url }, keys), "Content-Type": "application/json" },
    body: JSON.stringify(body),
    redirect: "error", // another address needs a signature of its own
    signal: AbortSignal.timeout(5000), // milliseconds
  });
}
