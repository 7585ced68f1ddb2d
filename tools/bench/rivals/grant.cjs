// grant as an AWS handler, doing the same two legs; with SDK=yes it keeps what it gets where Tripod does.
const { randomUUID } = require("crypto");
const grant = require("grant").aws({
  config: {
    defaults: { origin: process.env.RIVAL_ORIGIN, transport: "state", prefix: "/connect" },
    rival: {
      oauth: 1,
      request_url: process.env.RIVAL_PROVIDER + "/oauth/request_token",
      authorize_url: process.env.RIVAL_PROVIDER + "/oauth/authorize",
      access_url: process.env.RIVAL_PROVIDER + "/oauth/access_token",
      key: process.env.RIVAL_KEY,
      secret: process.env.RIVAL_SECRET,
    },
  },
  session: { secret: "grant" },
});

const storing = process.env.RIVAL_STORES === "yes";
const { DynamoDBClient, PutItemCommand, GetItemCommand } = storing ? require("@aws-sdk/client-dynamodb") : {};
const { SecretsManagerClient, CreateSecretCommand } = storing ? require("@aws-sdk/client-secrets-manager") : {};
const dynamodb = storing && new DynamoDBClient({ endpoint: process.env.AWS_ENDPOINT_URL });
const secrets = storing && new SecretsManagerClient({ endpoint: process.env.AWS_ENDPOINT_URL });
const TableName = process.env.TRIPOD_TABLE;

exports.handler = async (event) => {
  const { redirect, response } = await grant(event);
  if (redirect) {
    if (storing) await dynamodb.send(new PutItemCommand({ TableName, Item: { pk: { S: "grant-" + randomUUID() }, state: { S: "pending" } } }));
    return redirect;
  }
  if (storing && response.access_token) {
    await dynamodb.send(new GetItemCommand({ TableName, Key: { pk: { S: "grant-" + response.raw.user_id } } }));
    await secrets.send(new CreateSecretCommand({ Name: "grant/" + randomUUID(), SecretString: JSON.stringify(response) }));
  }
  return { statusCode: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ granted: Boolean(response.access_token) }) };
};
