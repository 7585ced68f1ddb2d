// One authorization by the npm package oauth: prints the authorize URL, reads the verifier, prints who signed in.
// Arguments: the provider's URL, consumer key, consumer secret, callback URL, signature method.
"use strict";

const readline = require("node:readline");
const { promisify } = require("node:util");
const { OAuth } = require("oauth");

async function main(provider, key, secret, callback, method) {
  const oauth = new OAuth(
    `${provider}/oauth/request_token`, `${provider}/oauth/access_token`, key, secret, "1.0", callback, method);
  const answers = (call) => (...args) => new Promise((resolve, reject) =>
    oauth[call](...args, (error, ...values) => (error ? reject(error) : resolve(values))));

  const [token, tokenSecret] = await answers("getOAuthRequestToken")({ x_auth_access_type: "write" });
  console.log(`${provider}/oauth/authorize?oauth_token=${token}`);
  const lines = readline.createInterface({ input: process.stdin });
  const verifier = await promisify((done) => lines.once("line", (line) => done(null, line)))();
  lines.close();

  const [access, accessSecret] = await answers("getOAuthAccessToken")(token, tokenSecret, verifier);
  const get = async (path) => JSON.parse((await answers("get")(provider + path, access, accessSecret))[0]);
  const status = { status: "posted by node: (it's fine!) *~ + &" };
  await answers("post")(`${provider}/1.1/statuses/update.json`, access, accessSecret, status, null);
  const v1 = await get("/1.1/account/verify_credentials.json?skip_status=true&include_entities=false");
  console.log(JSON.stringify({ v1: v1.screen_name, v2: (await get("/2/users/me")).data.username }));
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(`refused: ${error.statusCode} ${error.data}`);
  process.exit(1);
});
