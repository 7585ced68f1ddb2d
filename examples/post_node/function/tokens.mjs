// Reads a user's tokens where Tripod keeps them, in Secrets Manager or sealed in the table, and the app's own key and secret.

import { createHash } from "node:crypto";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { DecryptCommand, KMSClient } from "@aws-sdk/client-kms";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

const LIFETIME = 300_000; // milliseconds that what was read is kept: each read costs money
const CAPACITY = 1024; // secrets and users' tokens that are kept, of about 1 KB each
const REPORT_TIMEOUT = 1000; // milliseconds that a report may keep its caller waiting
const REPORTS_REST = 300_000; // milliseconds after a report that failed: whatever is in its way keeps a caller waiting no more often

const { TRIPOD_PREFIX: prefix, TRIPOD_TABLE: table } = process.env;
const secretsManager = new SecretsManagerClient();
const dynamodb = new DynamoDBClient();
const kms = new KMSClient();
const lambda = new LambdaClient({ maxAttempts: 1 }); // of reports alone
const cache = new Map(); // { value, until } by name, the oldest first
const reported = new Map(); // the digest of the token that was reported last, by the name of the user's secret
let reportsRestUntil = 0;

/** There are no tokens to sign with: the user has to sign in. */
export class NotConnected extends Error {}

/** Return the app's { key, secret } as `consumer` and the user's as `token`; `fresh` reads both anew. Throws NotConnected. */
export async function credentials(provider, userId, { fresh = false } = {}) {
  const name = `${prefix}/consumer/${provider}`;
  const app = await cached(name, fresh, () => readSecret(name));
  const user = await cached(userSecret(provider, userId), fresh, () => readUser(provider, userId, app.store));
  if (user.expires_at && user.expires_at * 1000 <= Date.now()) throw new NotConnected("the user's tokens have ended: ask them to sign in again");
  return {
    consumer: { key: app.consumer_key.trim(), secret: app.consumer_secret.trim() },
    token: { key: user.oauth_token, secret: user.oauth_token_secret },
  };
}

/**
 * Have Tripod ask the provider whether it still takes the user's access token; where it says no, `connection.refused` is published.
 * Each token is reported once. A report that fails is nobody's error: after it nothing is reported for a while.
 */
export async function reportRefused(provider, userId, token) {
  const name = userSecret(provider, userId);
  const digest = createHash("sha256").update(token).digest("base64");
  if (Date.now() < reportsRestUntil || reported.get(name) === digest) return;
  if (reported.size >= CAPACITY) reported.clear();
  reported.set(name, digest);
  const Payload = JSON.stringify({ provider, user_id: userId, reported: true });
  const report = new InvokeCommand({ FunctionName: `${prefix}-check`, InvocationType: "Event", Payload });
  try {
    await lambda.send(report, { abortSignal: AbortSignal.timeout(REPORT_TIMEOUT) });
  } catch {
    reported.delete(name);
    reportsRestUntil = Date.now() + REPORTS_REST;
  }
}

async function readUser(provider, userId, store) {
  if (store !== "table" && store !== "moving") return readUserSecret(provider, userId);
  const sealed = await readSealed(provider, userId);
  if (sealed) return sealed;
  try {
    return await readUserSecret(provider, userId);
  } catch (error) {
    const moved = error instanceof NotConnected && (await readSealed(provider, userId)); // between the two looks
    if (moved) return moved;
    throw error;
  }
}

async function readUserSecret(provider, userId) {
  try {
    return await readSecret(userSecret(provider, userId));
  } catch (error) {
    if (error.name === "ResourceNotFoundException") throw new NotConnected("the user has not signed in yet");
    if (error.name === "InvalidRequestException") throw new NotConnected("the user has disconnected: ask them to sign in again");
    throw error;
  }
}

/** Return the tokens that the table holds, opened by KMS, or null. */
async function readSealed(provider, userId) {
  const { Item: found = {} } = await dynamodb.send(new GetItemCommand({
    TableName: table,
    Key: { pk: { S: `connection#${provider}#${userId}` } },
    ProjectionExpression: "sealed_tokens, revoked_at", // the policies allow no other
    ConsistentRead: true,
  }));
  if (found.revoked_at) throw new NotConnected("the user has disconnected: ask them to sign in again");
  if (!found.sealed_tokens) return null;
  const { Plaintext } = await kms.send(new DecryptCommand({
    CiphertextBlob: found.sealed_tokens.B,
    EncryptionContext: { "tripod:prefix": prefix, "tripod:provider": provider, "tripod:user_id": userId },
  }));
  return parse(Buffer.from(Plaintext).toString(), "what the table holds");
}

async function readSecret(name) {
  const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: name }));
  return parse(SecretString, name);
}

/** Return the name of a user's secret: outside A-Za-z0-9_.@+- each byte of the id is written =XX. */
function userSecret(provider, userId) {
  const written = Buffer.from(userId).toString("latin1").replace(/[^\w.@+-]/g, (byte) =>
    `=${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
  return `${prefix}/user/${provider}/${written}`;
}

function parse(text, name) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${name}: not JSON`); // JSON's own error quotes the text
  }
}

async function cached(name, fresh, read) {
  const known = cache.get(name);
  if (known && !fresh && Date.now() < known.until) return known.value;
  cache.delete(name);
  const value = await read();
  if (cache.size >= CAPACITY) cache.delete(cache.keys().next().value);
  cache.set(name, { value, until: Date.now() + LIFETIME });
  return value;
}
