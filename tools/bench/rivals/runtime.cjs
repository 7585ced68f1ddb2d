// A runtime client for a Node handler: asks Lambda's runtime API for events and answers them, as AWS's own does in C++.
const http = require("http");

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true });
const { handler } = require(process.argv[2]);

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, agent, path: "/2018-06-01/runtime/invocation/" + path }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve([response.headers, Buffer.concat(parts).toString()]));
    });
    request.on("error", reject);
    request.end(body);
  });
}

(async () => {
  for (;;) {
    const [headers, event] = await call("GET", "next");
    const id = headers["lambda-runtime-aws-request-id"];
    try {
      await call("POST", id + "/response", JSON.stringify(await handler(JSON.parse(event))));
    } catch (error) {
      console.error(error);
      await call("POST", id + "/error", JSON.stringify({ errorType: error.name, errorMessage: error.message }));
    }
  }
})();
